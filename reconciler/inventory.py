"""What we applied, per unit: written ahead (old and intended), left only on confirmed deletion.

An entry stands for one identity, never for its instances. ``gate`` marks an entry whose removal an Approval let
through, so that a half-done removal goes on after a restart; declaring the thing again clears it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.manifests.identity import ResourceKey, UnitKey


@dataclass(frozen=True, slots=True)
class Entry:
    """``source`` declared it last; ``deletion`` is the policy it had then (``retain`` or ``delete``; "" without data).

    ``manifest`` is kept for targets alone (JSON of what reaching one takes), so that a target whose manifest vanished
    can still be reached and emptied.
    """

    key: ResourceKey
    unit: UnitKey
    source: str = ""
    deletion: str = ""
    gate: str = ""
    manifest: str = ""


Inventory = Mapping[UnitKey, Mapping[ResourceKey, Entry]]
"""Everything we applied, by unit and identity."""
