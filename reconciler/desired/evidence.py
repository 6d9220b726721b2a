"""What the world said when it was asked: answers of the DNS, and certificates as they were read. Values only.

Made by adapters, judged in ``ownership`` and ``certificates``. No key and no PEM is ever in one of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, order=True, slots=True)
class Question:
    """Something to ask the authoritative servers of a name: its addresses (both families), or its TXT records."""

    name: str
    kind: Literal["address", "txt"] = "address"


@dataclass(frozen=True, slots=True)
class Answer:
    """``found`` has ``values`` (sorted); ``empty``: the name is there, and has no such record; ``absent``: there is no
    such name; ``failed``: nobody gave an answer, and ``detail`` says why. Two answers that say the same are equal,
    whenever they came (``asked_at``, epoch seconds)."""

    state: Literal["found", "empty", "absent", "failed"]
    values: tuple[str, ...] = ()
    detail: str = ""
    asked_at: float = field(default=0.0, compare=False)


CertificateFault = Literal["missing", "pending", "expired", "failed"]
"""What keeps a certificate from being used: none can be read, not valid yet, not valid any more, wrong in itself."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a secret with a certificate holds, as far as everybody may know. Times in epoch seconds.

    ``digest`` (64 hex digits) is that of the certificate and its chain, ``fingerprint`` that of the certificate alone.
    ``names`` are the hosts it is good for. ``faults`` are (what it makes of it, why), ``notes`` no reason to refuse it.
    """

    digest: str = ""
    fingerprint: str = ""
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: float = 0.0
    not_after: float = 0.0
    key: str = ""
    faults: tuple[tuple[CertificateFault, str], ...] = ()
    notes: tuple[str, ...] = ()
