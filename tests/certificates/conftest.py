"""Real certificates, made anew for each test: an authority, what it issues, and bundles of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime(2030, 1, 15, tzinfo=UTC)


class Forge:
    """Issues certificates. ``certificate`` and ``key`` are the authority's own."""

    def __init__(self, name: str = "Test Authority", *, above: Forge | None = None, ca: bool = True, days: int = 365):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.above = above
        self.certificate = (above or self).sign(self.name, self.key, ca=ca, days=days)

    def sign(self, subject, key, *, names=(), ca=False, days=90, begins=0, algorithm=None):
        alternatives = [x509.DNSName(name) for name in names]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=begins - 1))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(self.key, algorithm or hashes.SHA256())

    def issue(self, *names, key=None, **more):
        """A certificate for these hosts, and its key."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "nobody")])
        return self.sign(subject, key, names=names, **more), key


def pem(*parts, password: bytes | None = None) -> bytes:
    """Certificates and keys, one after the other, as PEM."""
    return b"".join(_pem(part, password) for part in parts)


def _pem(part, password):
    if isinstance(part, x509.Certificate):
        return part.public_bytes(serialization.Encoding.PEM)
    kept = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return part.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)


@pytest.fixture
def forge() -> Forge:
    return Forge()
