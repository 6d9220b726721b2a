"""Certificates behind secret references: resolved, read, and forgotten but for what everybody may know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.certificates.bundle import read_bundle
from reconciler.desired.evidence import CertificateFacts
from reconciler.desired.objects import SecretRef
from reconciler.errors import SecretUnavailable
from reconciler.ports import Clock, SecretResolver


@dataclass(frozen=True, slots=True)
class Reader:
    """``secrets`` is asked for anew each time, since a reload may replace it."""

    secrets: Callable[[], SecretResolver]
    clock: Clock

    def read(self, reference: SecretRef) -> CertificateFacts:
        """What the secret holds now. Never raises: a secret that cannot be had is a fault."""
        try:
            pem = self.secrets().resolve(reference).reveal()
        except SecretUnavailable as error:
            return CertificateFacts(faults=(("missing", str(error)),))
        return read_bundle(pem, now=self.clock.now())
