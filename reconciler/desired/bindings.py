"""What a public route is made from, beside its shape: a domain, whose it is, and what keeps it from appearing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.desired.evidence import Question
from reconciler.manifests.identity import ResourceKey


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whether a domain proves to be the user's: ``state`` is pending, matched, mismatch, unresolved, lookup_failed or
    skipped; ``wanted`` what the answer should hold (one of them is enough), ``seen`` what it held."""

    mode: Literal["address", "txt", "none"] = "none"
    state: str = "skipped"
    question: Question | None = None
    wanted: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a route must not come into being yet; one that is there stays. ``reason`` is a condition's word.

    ``waiting``: it is only a matter of time. ``keeps_shape``: what is there is not changed to what is written now,
    except for who answers, because that is wrong or cannot be judged.
    """

    reason: str
    message: str
    waiting: bool = False
    keeps_shape: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a public route comes from, for people: ``name`` as it was written, ``document`` the Domain (None for the
    short form and for what the server gives), ``certificate`` the imported one that it uses, ``tls_off`` why it has
    none ("disabled" was said so, "not-applicable" nothing to protect)."""

    name: str
    source: Literal["durable-domain-binding", "generated-default-access"] = "durable-domain-binding"
    document: ResourceKey | None = None
    ownership: Ownership = Ownership()
    certificate: ResourceKey | None = None
    policy: Literal["auto", "manual", "disabled"] = "auto"
    tls_off: Literal["", "disabled", "not-applicable"] = ""
