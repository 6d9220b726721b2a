"""Host names, as people write them and as the network knows them: lower case, and punycode for what is not ASCII."""

from __future__ import annotations

import re

import idna

_ASCII = re.compile(r"(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST = 253


def ascii_host(written: str) -> str:
    """A host name (a leading ``*.`` stands for one label) as the network knows it; raises ``ValueError`` for no name.

    A dot at the end, which only says that the name is complete, is left out.
    """
    wildcard = "*." if written.startswith("*.") else ""
    bare = written.removeprefix(wildcard).removesuffix(".")
    try:
        host = bare.lower() if bare.isascii() else idna.encode(bare, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"{written} is not a host name: {str(error).lower()}") from error
    if len(wildcard + host) > _LONGEST or not _ASCII.fullmatch(wildcard + host):
        raise ValueError(f"{written} is not a host name: labels of letters, digits and dashes with dots between them")
    return wildcard + host


def host_and_path(written: str) -> tuple[str, str]:
    """``host[/path]`` in its parts; the path of a bare host is ``/``. Raises ``ValueError`` for no host name."""
    host, _, path = written.partition("/")
    return ascii_host(host), plain_path(path)


def plain_path(written: str) -> str:
    """A path prefix with one slash in front and none at its end: ``/api/`` and ``/api`` are the same."""
    return f"/{written.strip('/')}"


def covers(pattern: str, host: str) -> bool:
    """Whether a name of a certificate or a route stands for a host: the same, or a wildcard for its first label."""
    if pattern == host:
        return True
    return pattern.startswith("*.") and not host.startswith("*.") and host.partition(".")[2] == pattern[2:]
