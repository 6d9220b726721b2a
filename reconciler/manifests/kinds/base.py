"""What the models of all kinds share: the strict base, scalar types, secret references, values of variables.

Types that are texts keep the text as it was written; plain functions here say what it means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    StringConstraints,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel

from reconciler.manifests.hosts import ascii_host, host_and_path
from reconciler.manifests.kinds.features import Later
from reconciler.manifests.paths import inside


class Model(BaseModel):
    """The strict base: no unknown fields, no conversions, frozen, and no input in errors. Written in camelCase."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=to_camel,
        use_attribute_docstrings=True,
    )

    feature: ClassVar[str] = ""
    """The feature that this whole form waits for; "" when it is here."""


T = TypeVar("T")
Items = Annotated[tuple[T, ...], Strict(strict=False)]
"""A list as written, a tuple inside; only the list may be converted, never what is in it."""

LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
DURATION = r"^[0-9]{1,9}(s|m|h|d)$"
SIZE = r"^[0-9]{1,12}([KMGTP]i?B?|B)$"
CPU = r"^[0-9]{1,6}(m|\.[0-9]{1,3})?$"
HOST = r"^[^\s/?#:@]+$"
ROUTE = r"^[^\s/?#:@]+(/[^\s?#]*)?$"
ABSOLUTE = r"^/[^\x00\s]*$"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$"
CRON = r"^\S+ +\S+ +\S+ +\S+ +\S+$"
DIGEST = r"^[A-Za-z0-9][A-Za-z0-9:_-]{7,}$"
URL_PATH = r"^/[^\s?#]*$"
REQUEST_TARGET = r"^/[^\s#]*$"
USER = r"^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$"
PORT_RANGE = r"^[0-9]{1,5}-[0-9]{1,5}$"
FILLED = r"\S"

WORDS = {
    LABEL: "not a DNS label: lower-case letters, digits and dashes, at most 63, no dash at either end",
    VARIABLE: "not a variable's name: letters, digits and underscores, no digit in front",
    DURATION: "not a duration: a whole number and s, m, h or d, as in 30s or 14d",
    SIZE: "not a size: a whole number and a unit, as in 512MiB or 10Gi",
    CPU: "not an amount of CPU: as in 500m or 1.5",
    HOST: "not a host name: labels of letters, digits and dashes with dots between them",
    ROUTE: "not host[/path]: as in shop.example or shop.example/api",
    ABSOLUTE: "not an absolute path: it begins with / and holds no blanks",
    TIMESTAMP: "not a time with a zone: as in 2030-01-31T18:00:00Z",
    CRON: "not a schedule of five fields: as in 0 3 * * *",
    DIGEST: "not a gate's digest: copy the one that the plan prints",
    REQUEST_TARGET: "not a path: it begins with /",
    URL_PATH: "not a path: it begins with /",
    USER: "not a user, or user:group",
    PORT_RANGE: "not a range of ports: as in 20000-29999",
    FILLED: "empty; a text is wanted",
}
"""What a pattern that did not match means, in words that follow the value."""

Text = Annotated[str, StringConstraints(pattern=FILLED)]
Label = Annotated[str, StringConstraints(pattern=LABEL)]
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE)]
Duration = Annotated[str, StringConstraints(pattern=DURATION)]
Size = Annotated[str, StringConstraints(pattern=SIZE)]
AbsolutePath = Annotated[str, StringConstraints(pattern=ABSOLUTE)]
Cron = Annotated[str, StringConstraints(pattern=CRON)]
GateDigest = Annotated[str, StringConstraints(pattern=DIGEST)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
RequestTarget = Annotated[str, StringConstraints(pattern=REQUEST_TARGET)]
UrlPath = Annotated[str, StringConstraints(pattern=URL_PATH)]
UserName = Annotated[str, StringConstraints(pattern=USER)]
Command = Annotated[Items[str], Field(min_length=1)]
"""An argument vector; never a shell string."""


def seconds(duration: str) -> int:
    """A ``Duration`` (``30s``, ``10m``, ``1h``, ``14d``) in seconds; raises ``ValueError`` for another text."""
    scale = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(duration[-1:])
    if scale is None or not duration[:-1].isdecimal():
        raise ValueError(f"{duration!r} is {WORDS[DURATION]}")
    return int(duration[:-1]) * scale


def epoch_seconds(timestamp: str) -> float:
    """A ``Timestamp`` in seconds since the epoch; raises ``ValueError`` when there is no such time."""
    return datetime.fromisoformat(timestamp).astimezone(UTC).timestamp()


def _existing_time(value: str) -> str:
    try:
        epoch_seconds(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{value} is no time that exists") from None
    return value


def _within_source(value: str, info: ValidationInfo) -> str:
    manifest = (info.context or {}).get("path", "")
    if inside(manifest, value) is None:
        raise ValueError("leads out of the source; a path is relative to its manifest, or to the source's root with /")
    return value


def _existing_host(value: str) -> str:
    ascii_host(value)
    return value


def _existing_route(value: str) -> str:
    host_and_path(value)
    return value


HostName = Annotated[str, StringConstraints(pattern=HOST), AfterValidator(_existing_host)]
"""A host name as it was written; ``hosts.ascii_host`` says what the network calls it."""
RouteName = Annotated[str, StringConstraints(pattern=ROUTE), AfterValidator(_existing_route)]
Timestamp = Annotated[str, StringConstraints(pattern=TIMESTAMP), AfterValidator(_existing_time)]
SourcePath = Annotated[str, StringConstraints(pattern=FILLED), AfterValidator(_within_source)]
"""A place in the source: relative to the manifest's folder, or with a leading ``/`` to the source's root."""


def port_range(written: str) -> tuple[int, int]:
    """A ``PortRange`` as its first and last port; raises ``ValueError`` when there is no such range."""
    first, _, last = written.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535):
        raise ValueError(f"{written} is {WORDS[PORT_RANGE]}")
    return int(first), int(last)


def _existing_range(value: str) -> str:
    port_range(value)
    return value


PortRange = Annotated[str, StringConstraints(pattern=PORT_RANGE), AfterValidator(_existing_range)]


def exactly_one(model: Model, *names: str, optional: bool = False) -> None:
    """Raises ``ValueError`` unless exactly one (``optional``: at most one) of these fields is given."""
    given = [name for name in names if getattr(model, name) is not None]
    wanted = ", ".join(type(model).model_fields[name].alias or name for name in names)
    if len(given) > 1:
        written = ", ".join(type(model).model_fields[name].alias or name for name in given)
        number = "at most" if optional else "exactly"
        raise ValueError(f"{written} are given together; {number} one of {wanted} is wanted")
    if not given and not optional:
        raise ValueError(f"exactly one of {wanted} is wanted")


def shape(value: Any) -> str | None:
    """Tells a short form from a long one by what was written: ``<text>``, ``<number>`` or ``<mapping>``."""
    if isinstance(value, str):
        return "<text>"
    if isinstance(value, int) and not isinstance(value, bool):
        return "<number>"
    return "<mapping>" if isinstance(value, dict | BaseModel) else None


PortReference = Annotated[
    Annotated[PortNumber, Tag("<number>")] | Annotated[Label, Tag("<text>")],
    Discriminator(
        shape, custom_error_type="port_reference", custom_error_message="a port's name or its number is wanted"
    ),
]


class SopsKey(Model):
    """One key of a SOPS file."""

    file: SourcePath
    key: Text


class KubernetesKey(Model):
    """One key of a Secret on a cluster."""

    name: Text
    key: Text
    namespace: Label | None = None


class SecretSource(Model):
    """Where a secret is: exactly one of these. Never a value in clear."""

    file: AbsolutePath | None = None
    """A file on the daemon's machine, below a root that its settings allow."""
    env: VariableName | None = None
    """A variable of the daemon's environment, with a prefix that its settings allow."""
    sops: Annotated[SopsKey | None, Later("sops")] = None
    """A key of a SOPS file in the source."""
    sealed: Annotated[Text | None, Later("sealed")] = None
    """A value sealed for this daemon."""
    kubernetes: Annotated[KubernetesKey | None, Later("kubernetes")] = None
    """A key of a Secret on the cluster."""

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        exactly_one(self, "file", "env", "sops", "sealed", "kubernetes")
        return self


SecretReference = Annotated[
    Annotated[Label, Tag("<text>")] | Annotated[SecretSource, Tag("<mapping>")],
    Discriminator(
        shape,
        custom_error_type="secret_reference",
        custom_error_message="a secret's name, or one of {file}, {env}, {sops}, {sealed}, {kubernetes} is wanted",
    ),
    Later("secret-files", only=str),
]
"""A name out of the Environment's ``secretFiles``, or where the secret is."""


class FromSecret(Model):
    """A value that is a secret."""

    secret: SecretReference
    """A name out of the Environment's secretFiles, or where the secret is."""


class LinkTarget(Model):
    """Another resource's stable address, which releases do not change."""

    resource: Label
    """A Resource or Dependency of the same project."""
    service: Annotated[Text | None, Later("compose")] = None
    """One of a stack's services."""
    port: Text | None = None
    """The port's name; without it the main port."""
    as_: Annotated[
        Literal["url", "address", "host", "port", "public-url", "public-host"],
        Later("public-links", values=("public-url", "public-host")),
    ] = Field("url", alias="as")
    """Which part of the address."""


class FromLink(Model):
    """A value that is the address of something else."""

    from_: LinkTarget = Field(alias="from")
    """Whose address."""


class FromTemplate(Model):
    """A value put together from the resource's own variables."""

    template: str
    """`$(NAME)` is filled in, `$$(` is a literal `$(`; masked as its most secret part."""


class PlainValue(Model):
    """A text with an exposure."""

    value: str
    exposure: Annotated[Literal["build-time", "runtime"], Later("build-variables", values=("build-time",))] = "runtime"
    """Whether builds or running instances get it."""


def _value_form(value: Any) -> str | None:
    if isinstance(value, str):
        return "<text>"
    if isinstance(value, dict):
        for form in ("secret", "from", "template", "value"):
            if form in value:
                return f"<{form}>"
    return None


VariableValue = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[FromSecret, Tag("<secret>")]
    | Annotated[FromLink, Tag("<from>")]
    | Annotated[FromTemplate, Tag("<template>")]
    | Annotated[PlainValue, Tag("<value>")],
    Discriminator(
        _value_form,
        custom_error_type="variable_value",
        custom_error_message="a text (in quotes), {secret}, {from}, {template} or {value, exposure} is wanted",
    ),
]
Variables = dict[VariableName, VariableValue]


class Spec(Model):
    """What every kind has."""

    display_name: Text | None = None
    """What people call it; the name stays the identity."""


class ProjectSpecific(Spec):
    """What every kind has that lives in a project."""

    environments: Items[Label] | None = None
    """The environments it exists in; all of the project when absent."""
    overrides: dict[Label, dict[str, Any]] | None = None
    """A JSON merge patch (null removes) over this spec, by environment."""
