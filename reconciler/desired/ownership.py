"""Whether a domain proves to be the user's before it gets its first route: what to ask the DNS, and what answers mean.

No answer takes a route away. What is not known is asked again; it is never guessed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal

from reconciler.desired.bindings import Ownership, Withheld
from reconciler.desired.evidence import Answer, Question
from reconciler.desired.fingerprint import digest
from reconciler.desired.objects import EdgeObject

Mode = Literal["address", "txt", "none"]

_RECORD = "_reconciler"
_ANY_LABEL = "reconciler-check"  # a wildcard's address is that of any name below it


def listener_address(edge: EdgeObject, *, tls: bool) -> str:
    """The address of the listener that a route is reached by; "" when it is every one of the machine's."""
    host = (edge.https if tls else edge.http).rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host == "localhost":
        return "127.0.0.1"
    return "" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - what was written is compared, nothing listens


def is_public(address: str) -> bool:
    """Whether somebody outside could reach an address; a name, or every address, may lead anywhere."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return True


def mode_of(written: Mode | None, *, local: bool, given: bool, address: str) -> Mode:
    """How it is to be shown. Not at all where nobody else could claim the name or reach the listener, and for what the
    server gives by itself (``given``)."""
    if written is not None:
        return written
    return "none" if local or given or not is_public(address) else "address"


def question_of(mode: Mode, host: str) -> Question | None:
    """What to ask about a host; None when nothing is asked."""
    bare = host.removeprefix("*.")
    match mode:
        case "none":
            return None
        case "txt":
            return Question(f"{_RECORD}.{bare}", "txt")
        case "address":
            return Question(host if bare == host else f"{_ANY_LABEL}.{bare}", "address")


def proof(instance_id: str, host: str) -> str:
    """The text that the TXT record of a host must have: another for every installation."""
    return f"reconciler-verify={digest([instance_id, host.removeprefix('*.')], 40)}"


def ownership_of(mode: Mode, host: str, *, wanted: tuple[str, ...], answers: Mapping[Question, Answer]) -> Ownership:
    """``wanted``: one of these is enough; without any, nothing can be compared and it is skipped, with the reason."""
    question = question_of(mode, host)
    if question is None:
        return Ownership("none")
    if not wanted:
        message = "no public address of this machine is known to compare with: name it in the settings, or use txt"
        return Ownership(mode, "skipped", None, message=message)
    answer = answers.get(question)
    state, message = _judged(question, answer, wanted)
    seen = answer.values if answer is not None else ()
    return Ownership(mode, state, question, wanted, seen, message)


def _judged(question: Question, answer: Answer | None, wanted: tuple[str, ...]) -> tuple[str, str]:
    name, what = question.name, "address" if question.kind == "address" else "TXT record"
    if answer is None:
        return "pending", f"the DNS was not asked for {name} yet"
    match answer.state:
        case "failed":
            return "lookup_failed", f"nobody answers for {name}: {answer.detail}"
        case "absent":
            return "unresolved", f"{name} does not exist: add {_record(question, wanted)}"
        case "empty":
            return "mismatch", f"{name} has no {what}: add {_record(question, wanted)}"
        case "found":
            return _compared(question, answer.values, wanted)


def _compared(question: Question, values: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, str]:
    if set(values) & set(wanted):
        others = sorted(set(values) - set(wanted)) if question.kind == "address" else []
        return "matched", f"{question.name} leads to {', '.join(others)} as well" if others else ""
    if question.kind == "address":
        leads = ", ".join(values)
        return "mismatch", f"{question.name} leads to {leads}, not here: add {_record(question, wanted)}"
    return "mismatch", f"{question.name} says something else: add {_record(question, wanted)}"


def _record(question: Question, wanted: tuple[str, ...]) -> str:
    """The record to add, as zone files have it."""
    if question.kind == "txt":
        return f'{question.name}. TXT "{wanted[0]}"'
    kinds = [f"{'AAAA' if ':' in address else 'A'} {address}" for address in wanted]
    return f"{question.name}. {' or '.join(kinds)}"


def withheld_by(ownership: Ownership) -> Withheld | None:
    """What an ownership that is not shown means for a route that is not there yet."""
    match ownership.state:
        case "matched" | "skipped":
            return None
        case "pending":
            return Withheld("DomainNotVerified", ownership.message, waiting=True)
        case "mismatch" if ownership.mode == "address":
            return Withheld("DnsPointsElsewhere", ownership.message)
        case _:
            return Withheld("DomainNotVerified", ownership.message)
