"""Asks one instance how it is: an HTTP request, a TCP connect, a command. Bounded in time; decides nothing.

Answers are texts that stay the same while the situation does, so that a quiet world writes nothing.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reconciler.desired.objects import Probe
from reconciler.drivers.process import proc, shim
from reconciler.drivers.process.record import Launch, RunRecord

HOST = "127.0.0.1"
BODY_LIMIT = 64 * 1024  # bytes of a body in which a text is looked for
OUTPUT_LIMIT = 200  # characters of a command's last line that are shown


@dataclass(frozen=True, slots=True)
class Patient:
    """One run, and what to ask it. ``timeout`` is in seconds, for the whole of the question."""

    probe: Probe
    ports: Mapping[str, int]
    run: RunRecord
    timeout: float
    launch: Launch | None = None

    @property
    def port_name(self) -> str:
        return self.probe.port or min(self.ports, key=lambda name: (name != "http", name), default="")


@dataclass(frozen=True, slots=True)
class Answer:
    good: bool
    text: str

    @classmethod
    def fine(cls, text: str) -> Answer:
        return cls(good=True, text=text)

    @classmethod
    def bad(cls, text: str) -> Answer:
        return cls(good=False, text=text)


def ask(patient: Patient) -> Answer:
    """One question. Never raises for what the other side does."""
    kinds: dict[str, Callable[[Patient], Answer]] = {"http": _http, "tcp": _tcp, "command": _command}
    try:
        return kinds[patient.probe.kind](patient)
    except ConnectionRefusedError:
        return Answer.bad(_refused(patient))
    except TimeoutError:
        return Answer.bad(f"{_what(patient)}: no answer within {patient.timeout:g} s")
    except (OSError, http.client.HTTPException) as error:
        return Answer.bad(f"{_what(patient)}: {getattr(error, 'strerror', None) or type(error).__name__}")


def _what(patient: Patient) -> str:
    probe = patient.probe
    return {"http": f"{probe.method} {probe.path or '/'}", "tcp": "connect"}.get(probe.kind, "health command")


class _Deadlined(socket.socket):
    """A connection on which all reads together have ``deadline`` (monotonic seconds), so that drips do not hold it."""

    deadline = float("inf")

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        self.settimeout(left)
        return super().recv_into(*arguments, **options)


def _connect(patient: Patient) -> _Deadlined:
    connection = _Deadlined(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(patient.timeout)
    connection.deadline = time.monotonic() + patient.timeout
    try:
        connection.connect((HOST, patient.ports[patient.port_name]))
    except BaseException:
        connection.close()
        raise
    return connection


def _tcp(patient: Patient) -> Answer:
    if not patient.ports:
        return Answer.bad("connect: no port is declared")
    _connect(patient).close()
    return Answer.fine("connect: accepted")


def _http(patient: Patient) -> Answer:
    if not patient.ports:
        return Answer.bad(f"{_what(patient)}: no port is declared")
    probe = patient.probe
    connection = http.client.HTTPConnection(HOST, patient.ports[patient.port_name], timeout=patient.timeout)
    plain = _connect(patient)
    try:
        connection.sock = _secured(plain) if probe.scheme == "https" else plain
        headers = {"User-Agent": "reconciler-probe", "X-Forwarded-Proto": "https", "Connection": "close"}
        connection.request(
            probe.method, probe.path or "/", headers=headers | ({"Host": probe.host} if probe.host else {})
        )
        response = connection.getresponse()
        body = response.read(BODY_LIMIT) if probe.text else b""
    finally:
        connection.close()
        plain.close()
    return _judged(patient, response.status, body)


def _secured(plain: socket.socket) -> socket.socket:
    """TLS to our own loopback: what matters is whether it answers, not who signed it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


def _judged(patient: Patient, status: int, body: bytes) -> Answer:
    probe, what = patient.probe, _what(patient)
    if status not in probe.statuses if probe.statuses else not 200 <= status < 400:
        expected = "/".join(map(str, probe.statuses)) or "2xx or 3xx"
        return Answer.bad(f"{what}: {status}, expected {expected}")
    if probe.text and probe.text.encode() not in body:
        return Answer.bad(f"{what}: {status} without the text {probe.text!r}")
    return Answer.fine(f"{what}: {status}")


def _refused(patient: Patient) -> str:
    """Says where it does listen: the most common reason for a refused connection."""
    expected = patient.ports[patient.port_name]
    listening = proc.listening_ports(proc.session_of(patient.run))
    if listening and expected not in listening:
        return f"listens on {', '.join(map(str, listening))}, expected $PORT={expected}"
    return f"{_what(patient)}: refused on port {expected}"


def _command(patient: Patient) -> Answer:
    if patient.launch is None:
        return Answer.bad("health command: the record of its environment is gone")
    launch, words = patient.launch, patient.probe.command
    program = shim.find(words[0], launch.cwd, launch.env.get("PATH", ""))
    process = subprocess.Popen(
        [program, *words[1:]], env=dict(launch.env), cwd=launch.cwd, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **_identity(launch.user),
    )  # fmt: skip
    try:
        output = process.communicate(timeout=patient.timeout)[0]
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        _finish(process)
    return _explained(process.returncode, output)


def _finish(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _explained(code: int, output: bytes) -> Answer:
    lines = output.decode(errors="replace").strip().splitlines()
    last = f": {lines[-1][:OUTPUT_LIMIT]}" if lines and code else ""
    return Answer(good=code == 0, text=f"health command: exit code {code}{last}")


def _identity(user: str) -> dict[str, Any]:
    """The options that make a probe run as its workload does."""
    if not user or os.geteuid() != 0:
        return {}
    try:
        name, uid, gid = shim.account(user)
    except KeyError as error:
        raise PermissionError(1, f"user {user}: {error.args[0]}") from error
    return {"user": uid, "group": gid, "extra_groups": os.getgrouplist(name, gid)}
