"""One PEM text with a certificate, its chain and its key: what it is, and everything that is wrong with it.

A function of the bytes and the time. What comes out is public: no key, no PEM, and no text of the library about them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtensionOID

from reconciler.desired.evidence import CertificateFacts, CertificateFault

Fault = tuple[CertificateFault, str]

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)
_RSA_BITS, _CURVE_BITS = 2048, 256


def read_bundle(pem: bytes, *, now: float) -> CertificateFacts:
    """``now`` is in epoch seconds. Never raises: what cannot be read is a fault."""
    blocks = [(found.group(1).decode(), found.group()) for found in _BLOCK.finditer(pem)]
    try:
        chain = [x509.load_pem_x509_certificate(text) for label, text in blocks if label == "CERTIFICATE"]
    except ValueError:
        return CertificateFacts(faults=(("failed", "a CERTIFICATE block cannot be read"),))
    if not chain:
        return CertificateFacts(faults=(("missing", "there is no CERTIFICATE block in it"),))
    keys = [text for label, text in blocks if label.endswith("PRIVATE KEY")]
    return _facts(chain, (*_of_key(chain[0], keys), *_of_chain(chain), *_of_time(chain, now)))


def _facts(chain: Sequence[x509.Certificate], faults: tuple[Fault, ...]) -> CertificateFacts:
    leaf = chain[0]
    whole = hashlib.sha256()
    for certificate in chain:
        whole.update(certificate.public_bytes(serialization.Encoding.DER))
    last = chain[-1]
    known = len(chain) > 1 or last.issuer == last.subject
    note = f"its issuer {_name(last.issuer)} is not among its chain: visitors have to know it by themselves"
    return CertificateFacts(
        digest=whole.hexdigest(),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        subject=_name(leaf.subject),
        issuer=_name(leaf.issuer),
        names=_names(leaf),
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        key=_described(leaf),
        faults=faults,
        notes=() if known else (note,),
    )


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """The hosts that it is good for; the common name does not count, as it does not for browsers."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(sorted({name.lower() for name in found.get_values_for_type(x509.DNSName)}))


# --- the key ----------------------------------------------------------------------------------------------------------


def _of_key(leaf: x509.Certificate, keys: Sequence[bytes]) -> Iterator[Fault]:
    if len(keys) != 1:
        yield "failed", "there is no PRIVATE KEY block in it" if not keys else f"there are {len(keys)} keys in it"
        return
    try:
        key = load_pem_private_key(keys[0], password=None)
    except TypeError:
        yield "failed", "its key is encrypted: bring it along as it is, in a secret"
    except (ValueError, UnsupportedAlgorithm):
        yield "failed", "its key cannot be read"
    else:
        if _public(key.public_key()) != _public(leaf.public_key()):
            yield "failed", "its key belongs to another certificate (the certificate comes first, then its chain)"
    weak = _weakness(leaf)
    if weak:
        yield "failed", weak


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every kind of public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _described(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits):
            return f"RSA {bits}"
        case ec.EllipticCurvePublicKey(curve=curve):
            return f"ECDSA {curve.name}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
        case other:
            return type(other).__name__


def _weakness(certificate: x509.Certificate) -> str:
    """Why nobody should rely on a certificate's key or signature; "" when one may."""
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits) if bits < _RSA_BITS:
            return f"its key is weak: RSA of {bits} bits, {_RSA_BITS} or more are wanted"
        case ec.EllipticCurvePublicKey(curve=curve) if curve.key_size < _CURVE_BITS:
            return f"its key is weak: {curve.name}, a curve of {_CURVE_BITS} bits or more is wanted"
        case dsa.DSAPublicKey():
            return "its key is weak: DSA, which no browser takes"
    if isinstance(certificate.signature_hash_algorithm, _WEAK_HASHES):
        return f"its signature is weak: {certificate.signature_hash_algorithm.name}"
    return ""


# --- the chain, and the time ------------------------------------------------------------------------------------------


def _of_chain(chain: Sequence[x509.Certificate]) -> Iterator[Fault]:
    """Each certificate was issued by the one after it, and those after the first may issue."""
    for below, above in pairwise(chain):
        try:
            below.verify_directly_issued_by(above)
        except (InvalidSignature, ValueError, TypeError):
            yield "failed", f"its chain is broken: {_name(below.subject)} was not issued by {_name(above.subject)}"
    for above in chain[1:]:
        if not _may_issue(above):
            yield "failed", f"its chain is broken: {_name(above.subject)} is no authority"
        elif _weakness(above) and above.issuer != above.subject:
            yield "failed", f"its chain is weak: {_name(above.subject)}: {_weakness(above)}"


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return isinstance(found, x509.BasicConstraints) and found.ca


def _of_time(chain: Sequence[x509.Certificate], now: float) -> Iterator[Fault]:
    for certificate in chain:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        whose = "it" if certificate is chain[0] else f"{_name(certificate.subject)} in its chain"
        if now < begins.timestamp():
            yield "expired", f"{whose} is not valid before {begins:%Y-%m-%dT%H:%M:%SZ}"
        elif now >= ends.timestamp():
            yield "expired", f"{whose} has not been valid since {ends:%Y-%m-%dT%H:%M:%SZ}: bring a new one along"
