"""The official fake: a modelled target behind the driver port. It keeps the promises of the real ones, in memory.

For whoever tests against the port, and for trying manifests without a machine. Nothing runs; time is the clock's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from reconciler.desired.objects import Workload
from reconciler.errors import InvalidInput
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Instance, Target
from reconciler.plan.actions import Action, Difference
from reconciler.plan.model import Fate, Model, everything_works
from reconciler.ports import Clock


class MemoryDriver:
    """One modelled target. ``fate`` says what becomes of instances; by default everything gets healthy."""

    def __init__(self, key: ResourceKey, *, clock: Clock, fate: Callable[[Instance], Fate] = everything_works) -> None:
        self.key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._model = Model({key: Target()}, now=clock.now(), fate=fate)
        self._changed: Callable[[], None] = lambda: None

    def observe(self) -> Target:
        """What is modelled now."""
        with self._lock:
            self._model = self._model.at(self._clock.now())
            return self._model.observed()[self.key]

    def apply(self, action: Action) -> None:
        """One change of the model."""
        with self._lock:
            self._model = self._model.at(self._clock.now()).after(action)
        self._changed()

    def compare(self, workload: Workload, instance: Instance) -> tuple[Difference, ...]:
        """Settings that differ; a template never does within one release."""
        names = sorted({*workload.settings, *instance.settings})
        pairs = [(name, workload.settings.get(name, ""), instance.settings.get(name, "")) for name in names]
        return tuple(Difference(f"settings.{name}", wanted, live) for name, wanted, live in pairs if wanted != live)

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls back after every action; nothing else happens by itself before somebody looks."""
        self._changed = changed

    def logs(self, instance: str, *, tail: int, follow: bool = False) -> Iterator[str]:
        """Nothing is ever written; the name must be there."""
        target = self.observe()
        if instance not in target.instances and instance not in target.jobs:
            raise InvalidInput(f"{instance}: there is no such instance on {self.key.name}")
        return iter(())

    def close(self) -> None:
        """Forgets who was watching."""
        self._changed = lambda: None

    def lose(self, name: str) -> None:
        """Somebody removes an instance behind our back."""
        with self._lock:
            target = self._model.targets[self.key]
            rest = {n: i for n, i in target.instances.items() if n != name}
            self._model = replace(self._model, targets={self.key: replace(target, instances=rest)})
        self._changed()
