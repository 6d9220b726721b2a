"""Environment variables as they may be read: what each is, where it came from, never what a secret says."""

from __future__ import annotations

from reconciler.desired.objects import Composite, Link, Origin, Plain, SecretRef, Value, Workload
from reconciler.status.masking import MASK, named, secrets_of
from reconciler.status.parts import VariableView
from reconciler.status.presenting.picture import Picture
from reconciler.status.presenting.pieces import place

UNRESOLVED = "(known after apply)"


def views(picture: Picture, workload: Workload) -> tuple[VariableView, ...]:
    """Sorted by name."""
    secret = secrets_of(workload)
    return tuple(
        _variable(picture, name, value, workload.origins.get(name), secret=name in secret)
        for name, value in sorted(workload.template.env, key=lambda pair: pair[0])
    )


def _variable(picture: Picture, name: str, value: Value, origin: Origin | None, *, secret: bool) -> VariableView:
    return VariableView(
        name=name,
        value=MASK if secret else _text(picture, name, value),
        kind="secret" if secret else "plain-config",
        level=origin.level if origin else "",
        manifest=place(origin.place) if origin else "",
    )


def _text(picture: Picture, name: str, value: Value) -> str:
    match value:
        case Plain():
            return named(name, value.text)
        case Link():
            return _link(picture, value)
        case Composite():
            return named(name, value.template)
        case SecretRef():
            return MASK


def _link(picture: Picture, link: Link) -> str:
    """The stable address it leads to, when that is reserved already."""
    found = [a for a in picture.addresses.get(link.resource, []) if a.port_name == link.port and a.ordinal == 0]
    if not found:
        return UNRESOLVED
    address = found[0]
    forms = {
        "url": f"http://{address.host}:{address.port}",
        "address": f"{address.host}:{address.port}",
        "host": address.host,
        "port": str(address.port),
    }
    return forms[link.part]
