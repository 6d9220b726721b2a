"""Questions to the DNS, answered by the servers that have authority over the name; the library's only home.

Caches are asked for the way, never for the answer: a record that was just added must be seen at once. Nothing here
raises; who does not answer is an answer of its own.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from reconciler.desired.evidence import Answer, Question

_LONGEST_CHAIN = 8
_ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)


class _NoAnswer(Exception):
    """Nobody answered: why."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """``servers`` are (address, port) of resolvers to begin at, those of this machine's configuration when there are
    none; a question takes at most ``timeout`` seconds. ``now`` dates answers (epoch seconds)."""

    servers: Sequence[tuple[str, int]]
    timeout: float
    now: Callable[[], float]

    def ask(self, question: Question) -> Answer:
        """What the authority says of a name; CNAMEs are followed. Never raises."""
        kinds = _ADDRESSES if question.kind == "address" else (dns.rdatatype.TXT,)
        try:
            asking = _Asking(self._resolver(), time.monotonic() + self.timeout)
            answers = [asking.values(dns.name.from_text(question.name), kind) for kind in kinds]
        except _NoAnswer as error:
            return Answer("failed", detail=str(error), asked_at=self.now())
        except (dns.exception.DNSException, OSError) as error:
            detail = str(error).strip() or type(error).__name__
            return Answer("failed", detail=detail.splitlines()[0], asked_at=self.now())
        if all(found is None for found in answers):
            return Answer("absent", asked_at=self.now())
        values = tuple(sorted({value for found in answers for value in found or ()}))
        return Answer("found" if values else "empty", values, asked_at=self.now())

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.servers)
        if self.servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in self.servers]
        resolver.cache = None
        return resolver


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question until ``deadline`` (monotonic)."""

    resolver: dns.resolver.Resolver
    deadline: float

    def values(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> list[str] | None:
        """The records of a name, as texts; None when there is no such name."""
        for _ in range(_LONGEST_CHAIN):
            response = self._authoritative(name, kind)
            if response.rcode() == dns.rcode.NXDOMAIN and not response.answer:
                return None
            if response.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                raise _NoAnswer(f"the answer for {name} is {dns.rcode.to_text(response.rcode())}")
            found = response.get_rrset(response.answer, name, dns.rdataclass.IN, kind)
            if found is not None:
                return [_text(record) for record in found]
            alias = response.get_rrset(response.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
            if alias is None:
                return []
            name = alias[0].target
        raise _NoAnswer(f"more than {_LONGEST_CHAIN} aliases lead to {name}")

    def _authoritative(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """What a server with authority says; whoever is asked first may be one."""
        first = self._resolved(name, kind)
        if first.flags & dns.flags.AA:
            return first
        query = dns.message.make_query(name, kind, flags=0)
        failures = []
        for server in self._servers_of(name):
            try:
                response, _ = dns.query.udp_with_fallback(query, server, timeout=min(2.0, self._left()))
            except (dns.exception.DNSException, OSError) as error:
                failures.append(f"{server}: {str(error).strip() or type(error).__name__}")
                continue
            if response.flags & dns.flags.AA:
                return response
            failures.append(f"{server} has no authority")
        raise _NoAnswer(f"no authoritative server of {name} answers ({'; '.join(failures) or 'none is known'})")

    def _resolved(self, name: dns.name.Name, kind: dns.rdatatype.RdataType | str) -> dns.message.Message:
        try:
            answer = self.resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=self._left())
            return answer.response
        except dns.resolver.NXDOMAIN as error:
            response: dns.message.Message = error.response(name)  # type: ignore[no-untyped-call]
            return response
        except dns.resolver.NoNameservers as error:
            raise _NoAnswer(f"no server answers for {name}") from error
        except dns.exception.Timeout as error:
            raise _NoAnswer(f"no answer in time for {name}") from error

    def _servers_of(self, name: dns.name.Name) -> Iterator[str]:
        """The addresses of the servers of the name's zone."""
        zone = dns.resolver.zone_for_name(name, resolver=self.resolver, lifetime=self._left())
        for server in self.resolver.resolve(zone, "NS", lifetime=self._left()):
            for kind in _ADDRESSES:
                response = self._resolved(server.target, kind)
                for found in response.answer:
                    yield from (record.address for record in found if record.rdtype == kind)

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise _NoAnswer("no answer in time")
        return left


def _text(record: object) -> str:
    """An address in its usual form; a TXT record in one piece."""
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode(errors="replace")
    return str(ipaddress.ip_address(getattr(record, "address", "")))
