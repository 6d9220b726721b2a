"""Certificates that were brought along: files beside the proxy, so that its configuration holds no key."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.desired.objects import EdgeCertificate
from reconciler.drivers.edge.render import certificate_path
from reconciler.ports import SecretResolver


class Certificates:
    """Those of one proxy. A name stands for one certificate and never for another, so none is written twice."""

    def __init__(self, place: Path, secrets: SecretResolver) -> None:
        self._place, self._secrets = place, secrets

    def names(self) -> frozenset[str]:
        """What is there, whole."""
        return frozenset(path.stem for path in self._folder.glob("[!.]*.pem"))

    def keep(self, certificates: Iterable[EdgeCertificate]) -> None:
        """Writes those that are missing. Raises ``SecretUnavailable``."""
        for certificate in certificates:
            path = self._place / certificate_path(certificate.name)
            if not path.exists():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                write_whole(path, self._secrets.resolve(certificate.secret).reveal())

    def forget_others(self, names: set[str]) -> None:
        """Erases those that no route names any more."""
        for name in self.names() - names:
            (self._place / certificate_path(name)).unlink(missing_ok=True)

    @property
    def _folder(self) -> Path:
        return self._place / "certificates"


def write_whole(path: Path, data: bytes) -> None:
    """Replaces a file (mode 0600), or leaves it as it was."""
    aside = path.with_name(f".{path.name}.new")
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
