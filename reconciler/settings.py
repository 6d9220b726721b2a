"""The daemon's own settings: one file, strict, all of its mistakes told at once with their places.

Seen by the command line and the composition root only. Everything that says what should run is in manifests, not
here; what is here must survive the loss of the state directory (the instance's name, the digest keys).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from reconciler.errors import InvalidInput
from reconciler.manifests.document import place_of
from reconciler.manifests.kinds.base import AbsolutePath, Duration, Items, Label, Model, Text, VariableName, seconds
from reconciler.manifests.kinds.target import DefaultDomain
from reconciler.manifests.location import Location, dotted
from reconciler.manifests.problem import Position, Problem
from reconciler.manifests.validation import validate
from reconciler.manifests.yaml_events import Parsed, parts

DEFAULT_PATH = Path("/etc/reconciler/config.yaml")


def endpoint(written: str) -> tuple[str, int]:
    """``address:port`` (``[address]:port`` for IPv6) in its parts; raises ``ValueError`` for anything else."""
    host, _, port = written.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(f"{written} is not an address and a port, as in 127.0.0.1:7780") from None
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{written} does not end in a port, as in 127.0.0.1:7780")
    return str(address), int(port)


def _endpoint(written: str) -> str:
    endpoint(written)
    return written


def resolver(written: str) -> tuple[str, int]:
    """``address[:port]`` (``[address]:port`` for IPv6 with a port) in its parts, port 53 where none is said."""
    try:
        return str(ipaddress.ip_address(written)), 53
    except ValueError:
        return endpoint(written)


def _resolver(written: str) -> str:
    resolver(written)
    return written


def _address(written: str) -> str:
    try:
        return str(ipaddress.ip_address(written))
    except ValueError:
        raise ValueError(f"{written} is not an address, as in 203.0.113.7") from None


Resolver = Annotated[str, AfterValidator(_resolver)]
Address = Annotated[str, AfterValidator(_address)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]


class GitSettings(Model):
    """A git repository on this machine, read from its object store."""

    repository: AbsolutePath
    """The repository's folder: a bare one, or one with a work tree (which is never looked at)."""
    branch: Text = "main"
    """The branch that says what should be."""
    path: str = ""
    """The folder in the repository that holds the manifests; all of it by default."""


class DirectorySettings(Model):
    """A plain directory."""

    path: AbsolutePath
    """The directory that holds the manifests."""


class SourceSettings(Model):
    """Where the manifests come from: exactly one of git and directory."""

    git: GitSettings | None = None
    """A git repository on this machine."""
    directory: DirectorySettings | None = None
    """A plain directory, without history."""
    interval: Duration = "60s"
    """How often the source is looked at although nothing hinted at a change."""

    @model_validator(mode="after")
    def _one(self) -> SourceSettings:
        if (self.git is None) == (self.directory is None):
            raise ValueError("is exactly one of git and directory")
        return self


class ListenSettings(Model):
    """The status endpoint, which only reads."""

    status: Endpoint = "127.0.0.1:7780"
    """Address and port of the status endpoint. Port 0 takes a free one."""
    token_file: AbsolutePath | None = None
    """A file with the token that every request but the health routes must bear; required off loopback."""

    @model_validator(mode="after")
    def _guarded(self) -> ListenSettings:
        host, _ = endpoint(self.status)
        if self.token_file is None and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"status: {host} is not loopback: it takes a tokenFile to listen there")
        return self


class DigestKeySettings(Model):
    """A key under which digests of secrets are made, so that they tell nothing."""

    id: Label
    """Its name, kept beside every digest made under it."""
    file: AbsolutePath
    """The file that holds the key: 64 random hex digits or more, readable by the daemon's user only."""


class SecretsSettings(Model):
    """What secret references in manifests may lead to."""

    file_roots: Items[AbsolutePath] = ()
    """Directories below which secret files may lie; without any, no file can be a secret."""
    env_prefix: str = ""
    """How variables of the daemon's environment must begin to be secrets; without it, none can."""
    digest_keys: Items[DigestKeySettings] = ()
    """Keys of digests, the newest first. Older ones are still believed; without any, secrets cannot be used."""


class LogSettings(Model):
    """What the daemon writes to its standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe lines that are written. A pass that changes nothing writes debug lines only."""
    format: Literal["console", "json"] = "console"
    """Lines for people, or one JSON object per line."""


class LimitSettings(Model):
    """How much happens at once."""

    workers: Annotated[int, Field(ge=1, le=64)] = 4
    """Units (environments, and targets' furniture) that are worked on at the same time."""
    actions_per_target: Annotated[int, Field(ge=1, le=64)] = 8
    """Actions that run on one target at the same time."""


class DnsSettings(Model):
    """How it is found out whether a domain leads here."""

    servers: Items[Resolver] = ()
    """Resolvers to begin at, as address or address:port; those of this machine's configuration without any."""
    timeout: Duration = "5s"
    """How long one question may take."""
    addresses: Items[Address] = ()
    """The public addresses under which this machine is reached; found out where it has them itself."""


class Settings(Model):
    """The settings file."""

    instance_id: Label
    """The name of this installation. What it made bears it; another name does not recognise it as its own."""
    state_dir: AbsolutePath = "/var/lib/reconciler"
    """The directory of the ledger, the control socket, and of what the process engine runs. One daemon each."""
    source: SourceSettings
    """Where the manifests come from."""
    listen: ListenSettings = ListenSettings()
    """The status endpoint."""
    secrets: SecretsSettings = SecretsSettings()
    """What secret references may lead to."""
    logs: LogSettings = LogSettings()
    """The daemon's log."""
    limits: LimitSettings = LimitSettings()
    """How much happens at once."""
    dns: DnsSettings = DnsSettings()
    """How it is found out whether a domain leads here."""
    default_domain: DefaultDomain = DefaultDomain()
    """The host names that resources get on servers that say nothing of their own."""
    variables: Mapping[VariableName, str] = Field(default_factory=dict)
    """Variables of every resource, of the lowest precedence but the built-in ones."""

    @property
    def interval(self) -> float:
        """Seconds between two looks at the source."""
        return float(seconds(self.source.interval))

    @property
    def status(self) -> tuple[str, int]:
        """Address and port of the status endpoint."""
        return endpoint(self.listen.status)


def load(path: Path = DEFAULT_PATH) -> Settings:
    """The settings of a file. Raises ``InvalidInput`` with every mistake on a line of its own, each with its place."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInput(f"{path}: {reason}; write the settings there, or name another file with --config") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8: save the file as UTF-8") from error
    return parse(str(path), text)


def parse(path: str, text: str) -> Settings:
    """The same of a text; ``path`` is what the mistakes name."""
    document, problems = _document(path, text)
    validated = validate(Settings, document.value, at=(), written=document.written)
    marked = {problem.place for problem in problems}
    faults = [
        Problem(place_of(path, document.positions, f.location), dotted(f.location), f.message) for f in validated.faults
    ]
    problems += [fault for fault in faults if fault.place not in marked]
    if problems or validated.value is None:
        raise InvalidInput("\n".join(str(problem) for problem in sorted(problems)))
    return validated.value


def _document(path: str, text: str) -> tuple[Parsed, list[Problem]]:
    found = list(parts(text))
    marks = [part.end for part in found if part.end] + [m for part in found for d in part.documents for m in d.marks]
    problems = [Problem(Position(path, mark.line, mark.column), dotted(mark.location), mark.message) for mark in marks]
    documents = [document for part in found for document in part.documents if document.value is not None]
    if len(documents) != 1 and not problems:
        problems.append(
            Problem(Position(path), "", "holds no settings" if not documents else "holds several documents")
        )
    return (documents[0] if documents else Parsed(value={}), problems)


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as documentation shows it: its dotted name, the JSON of its default ("" when it is required)."""

    name: str
    default: str
    description: str


def described(model: type[BaseModel] = Settings, at: Location = ()) -> Iterator[Described]:
    """Every setting there is, parents before children, in the order of the file."""
    for name, field in model.model_fields.items():
        location = (*at, field.alias or name)
        yield Described(dotted(location), _default(field), field.description or "")
        for inner in _models(field.annotation):
            yield from described(inner, location)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value: Any = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return "null"
    if isinstance(value, BaseModel | Mapping):
        return "{}"
    return "[]" if value == () else f'"{value}"' if isinstance(value, str) else str(value)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field holds, whatever they are wrapped in."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
