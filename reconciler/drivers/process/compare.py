"""Pure: which fields of a running instance are not as declared.

Within one generation the template cannot differ: its digest is the instance's own. Only settings change in place, so
a new version of this program, which may know more settings, updates what runs and replaces nothing.
"""

from __future__ import annotations

from reconciler.desired.objects import Workload
from reconciler.observed.snapshot import Instance
from reconciler.plan.actions import Difference


def compare(workload: Workload, instance: Instance) -> tuple[Difference, ...]:
    """Sorted by field; a setting that one side lacks is ""."""
    wanted, live = workload.settings, instance.settings
    return tuple(
        Difference(f"settings.{name}", wanted.get(name, ""), live.get(name, ""))
        for name in sorted(wanted.keys() | live.keys())
        if wanted.get(name) != live.get(name)
    )
