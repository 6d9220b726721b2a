"""Names of objects on targets: words for people, digits for identity. Every name is a DNS label of at most 63 letters.

The name is the idempotency key: the same thing has the same name in every pass, so a lost reply is found and never
doubled. Too long a name loses words, never digits.
"""

from __future__ import annotations

from reconciler.desired.fingerprint import digest
from reconciler.desired.objects import Workload
from reconciler.manifests.identity import ResourceKey

_LIMIT = 63


def instance_name(workload: Workload, ordinal: int) -> str:
    """``<project>-<environment>-<resource>-<release>[-<stamp>]-<ordinal>``."""
    digits = [short_release(workload.key, workload.release), *([workload.stamp[:8]] if workload.stamp else [])]
    return _named(workload.key, *digits, str(ordinal))


def short_release(key: ResourceKey, release: str) -> str:
    """Ten digits of identity and release together, so that ``a-b``/``c`` and ``a``/``b-c`` differ."""
    return digest([str(key), release], 10)


def volume_name(key: ResourceKey) -> str:
    """``<project>-<environment>-<volume>-<identity>``."""
    return _named(key, digest(str(key), 6))


def address_name(key: ResourceKey, port_name: str, ordinal: int) -> str:
    """``<project>-<environment>-<resource>-<port>-<identity>-<ordinal>``."""
    return _named(key, digest([str(key), port_name], 6), str(ordinal), words=(port_name,))


def certificate_name(key: ResourceKey, content: str) -> str:
    """``<project>-<environment>-<certificate>-<identity and content>``: another for another certificate."""
    return _named(key, digest([str(key), content], 12))


def build_job_name(artifact: str, token: str) -> str:
    """One build of an artifact per reconcileToken; whoever needs the same artifact finds the same job."""
    return f"{artifact}-{digest(token, 6)}" if token else artifact


def release_job_name(workload: Workload) -> str:
    """One release command per release and reconcileToken."""
    digits = [short_release(workload.key, workload.release)]
    if workload.reconcile_token:
        digits.append(digest(workload.reconcile_token, 6))
    return _named(workload.key, *digits, words=("release",))


def _named(key: ResourceKey, *digits: str, words: tuple[str, ...] = ()) -> str:
    tail = "-".join(digits)
    head = "-".join(part for part in (key.project, key.environment, key.name, *words) if part)
    return f"{head[: _LIMIT - len(tail) - 1].rstrip('-')}-{tail}"
