"""A real authoritative name server with a zone of its own, on a loopback port; and a cache that lives in the past."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rrset
import pytest

ZONE = """\
$ORIGIN shop.example.
$TTL 60
@ IN SOA ns.shop.example. root.shop.example. 1 3600 600 86400 60
@ IN NS ns.shop.example.
@ IN A 198.51.100.7
@ IN AAAA 2001:db8::7
ns IN A {address}
www IN CNAME shop.example.
loop IN CNAME pool.shop.example.
pool IN CNAME loop.shop.example.
mail IN MX 10 shop.example.
*.apps IN A 198.51.100.8
_reconciler IN TXT "v=other" "joined"
_reconciler IN TXT "reconciler-verify=0123"
away IN CNAME nowhere.elsewhere.example.
"""

CONFIGURATION = """\
server:
  ip-address: {address}@{port}
  do-ip6: no
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  zonelistfile: "{folder}/zones"
  xfrdfile: "{folder}/xfrd"
  xfrdir: "{folder}"
  pidfile: "{folder}/pid"
  database: ""
remote-control:
  control-enable: no
zone:
  name: shop.example
  zonefile: zone
"""


@dataclass(frozen=True)
class NameServer:
    address: str
    port: int

    @property
    def at(self) -> tuple[str, int]:
        return self.address, self.port


def free_port(address: str = "127.0.0.1") -> int:
    """A port that is free for both transports; one that a connection has just taken for the other is passed over."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind((address, 0))
            port: int = udp.getsockname()[1]
            try:
                tcp.bind((address, port))
            except OSError:
                continue
            return port


def serve(program: str, folder: Path, address: str, port: int) -> subprocess.Popen[bytes]:
    """Starts the server, and returns when it answers."""
    folder.joinpath("zone").write_text(ZONE.format(address=address))
    folder.joinpath("nsd.conf").write_text(CONFIGURATION.format(address=address, port=port, folder=folder))
    with folder.joinpath("log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(folder / "nsd.conf")], stdout=log, stderr=log)
    query = dns.message.make_query("shop.example", "SOA")
    for _ in range(100):
        try:
            dns.query.udp(query, address, port=port, timeout=0.2)
        except (dns.exception.Timeout, OSError):
            time.sleep(0.1)
        else:
            return process
    process.terminate()
    pytest.fail(folder.joinpath("log").read_text())


@pytest.fixture(scope="session")
def nsd(needs) -> str:
    os.environ["PATH"] += ":/usr/sbin"
    found: str = needs("nsd", get="install it as root: tests/parts, or apt-get install nsd")
    return found


@pytest.fixture(scope="module")
def authority(nsd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """The server of shop.example."""
    port = free_port()
    process = serve(nsd, tmp_path_factory.mktemp("nsd"), "127.0.0.1", port)
    yield NameServer("127.0.0.1", port)
    process.terminate()
    process.wait(10)


@pytest.fixture
def silent() -> Iterator[NameServer]:
    """A socket that takes questions and never answers."""
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield NameServer(*bound.getsockname())


class Cache:
    """A resolver without authority: it forwards to ``upstream``, and answers ``remembered`` for the zone's address."""

    def __init__(self, upstream: NameServer, remembered: str) -> None:
        self._upstream, self._remembered = upstream, remembered
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.at: tuple[str, int] = self._socket.getsockname()
        self._socket.settimeout(0.2)
        self._closed = False
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        self._thread.join(10)
        self._socket.close()

    def _answer(self) -> None:
        while not self._closed:
            try:
                data, peer = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(data)
            answer = self._made(query)
            answer.flags = (answer.flags | dns.flags.RA | dns.flags.RD) & ~dns.flags.AA
            self._socket.sendto(answer.to_wire(), peer)

    def _made(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        if question.name.to_text() == "shop.example." and question.rdtype == dns.rdatatype.A:
            answer = dns.message.make_response(query)
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", self._remembered))
            return answer
        return dns.query.udp(query, self._upstream.address, port=self._upstream.port, timeout=5)
