"""What the settings say, as what the house is made of: secrets, the DNS, the token; for the composition root only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.facts import Facts
from reconciler.desired.objects import SecretRef
from reconciler.dns.addresses import public_addresses
from reconciler.dns.lookup import Lookup
from reconciler.errors import InvalidInput
from reconciler.manifests.kinds.base import seconds
from reconciler.ports import Clock, Masked, SecretResolver
from reconciler.secrets.digests import read_keys
from reconciler.secrets.redact import Redactor
from reconciler.secrets.resolver import Secrets
from reconciler.settings import Settings, resolver


@dataclass(frozen=True, slots=True)
class Current:
    """The secrets of the settings that hold now, for drivers that outlive a reload."""

    resolver: Callable[[], SecretResolver]

    def resolve(self, reference: SecretRef) -> Masked:
        return self.resolver().resolve(reference)

    def digests(self, reference: SecretRef) -> tuple[str, ...]:
        return self.resolver().digests(reference)


def known_of(settings: Settings) -> Facts:
    template = settings.default_domain.template if settings.default_domain.mode == "custom-template" else ""
    addresses = tuple(sorted(settings.dns.addresses)) or public_addresses()
    return Facts(instance_id=settings.instance_id, default_domain=template or "", addresses=addresses)


def lookup(settings: Settings, clock: Clock) -> Lookup:
    servers = [resolver(written) for written in settings.dns.servers]
    return Lookup(servers, timeout=float(seconds(settings.dns.timeout)), now=clock.now)


def token(settings: Settings) -> str:
    path = settings.listen.token_file
    if path is None:
        return ""
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"listen.tokenFile: {path}: cannot be read: {error}") from error
    if len(token) < 16:
        raise InvalidInput(f"listen.tokenFile: {path}: holds a token of {len(token)} characters; use 16 or more")
    return token


def secrets_of(settings: Settings, redactor: Redactor) -> Secrets:
    said = settings.secrets
    keys = read_keys((key.id, Path(key.file)) for key in said.digest_keys)
    roots = [Path(root) for root in said.file_roots]
    return Secrets(redactor=redactor, roots=roots, env_prefix=said.env_prefix, keys=keys)
