"""A candidate, given its final shape: what its instances are made of, and how they are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.desired import reserved
from reconciler.desired.facts import Facts
from reconciler.desired.fingerprint import digest, release_of, stamp_of
from reconciler.desired.merge import layers_of
from reconciler.desired.names import volume_name
from reconciler.desired.objects import (
    Artifact,
    Link,
    Mount,
    Port,
    ReleaseCommand,
    Rollout,
    SecretRef,
    Template,
    Tree,
    Workload,
)
from reconciler.desired.scope import Candidate, Unplannable
from reconciler.desired.shapes import http_ports, port_called, ports_of, probe_of, settings_of
from reconciler.desired.trees import tree_of
from reconciler.desired.variables import (
    Variable,
    env_file_errors,
    env_file_notes,
    from_document,
    from_env_file,
    from_layer,
    from_settings,
)
from reconciler.desired.volumes import Mounted
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import seconds
from reconciler.manifests.kinds.rollout import Deploy
from reconciler.manifests.kinds.sources import External, LocalFolder, Static
from reconciler.manifests.problem import Problem


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a resource is shaped among: all candidates, planned or not, and all volumes."""

    catalog: Catalog
    facts: Facts
    candidates: Mapping[ResourceKey, Candidate]
    volumes: Mapping[ResourceKey, Mounted]


@dataclass(frozen=True, slots=True)
class Shaping:
    """Makes the workload of one candidate. Collects every problem before it refuses. ``routed`` are the ports that its
    domains lead to."""

    around: Surroundings
    candidate: Candidate
    routed: frozenset[str] = frozenset()

    def workload(self) -> tuple[Workload, Tree]:
        """The workload and the tree it is made from; raises ``Unplannable``."""
        problems: list[Problem] = []
        ports = self._ports(problems)
        static = isinstance(self.candidate.spec.source, Static)
        variables = {} if static else self._variables(problems)  # files have no environment
        env = {name: self._linked(name, variable, problems) for name, variable in variables.items()}
        secrets = self._secrets(env, problems)
        mounts = self._mounts(problems)
        problems += reserved.clashes(variables, reserved.given(ports, mounts))
        probe = probe_of(self.candidate.spec, ports, host="")
        if isinstance(probe, str):
            problems.append(self.candidate.problem(probe, "spec", "health"))
        tree = self._tree(problems)
        rollout = self._rollout(ports, problems)
        if problems or tree is None or isinstance(probe, str):
            raise Unplannable(_reason(problems), problems)
        spec = self.candidate.spec
        template = Template(
            self._artifact(tree),
            command=tuple(spec.command or ()),
            args=tuple(spec.args or ()),
            env=tuple(sorted((name, variable.value) for name, variable in env.items())),
            mounts=mounts,
            ports=ports,
            probe=probe,
            working_dir=spec.working_dir or "",
            user=spec.user or "",
        )
        return self._assembled(template, rollout, env, secrets), tree

    def _assembled(
        self, template: Template, rollout: Rollout, env: Mapping[str, Variable], secrets: Mapping[str, tuple[str, ...]]
    ) -> Workload:
        spec, candidate = self.candidate.spec, self.candidate
        environment = candidate.place.spec
        stamps = self._stamps(secrets)
        release = spec.deploy.release if spec.deploy is not None else None
        return Workload(
            candidate.key,
            candidate.unit,
            template,
            release_of(template),
            stamps[0],
            frozenset(stamps[1:]) - {stamps[0]},
            replicas=0 if isinstance(spec.source, Static) else spec.replicas if isinstance(spec.replicas, int) else 1,
            rollout=rollout,
            settings=settings_of(spec),
            release_command=ReleaseCommand(tuple(release.command), seconds(release.timeout)) if release else None,
            depends_on=self._dependencies(),
            running=spec.desired_state != "stopped",
            static=isinstance(spec.source, Static),
            reconcile_token="/".join(t for t in (environment.reconcile_token, spec.reconcile_token) if t),
            hold="Suspended" if spec.suspend else "",
            report_drift=(spec.drift or environment.drift) == "report",
            source=candidate.document.source,
            place=candidate.document.place("spec"),
            origins={name: variable.origin for name, variable in sorted(env.items())},
            notes=tuple(self._notes(template)),
        )

    def _stamps(self, secrets: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Its stamp under each digest key, the newest first."""
        spec, depth = self.candidate.spec, max((len(digests) for digests in secrets.values()), default=1)
        return [
            stamp_of(
                restart_token=spec.restart_token or "",
                redeploy_token=spec.redeploy_token or "",
                secret_digests={name: digests[min(age, len(digests) - 1)] for name, digests in secrets.items()},
            )
            for age in range(depth)
        ]

    # --- what it is made from ---------------------------------------------------------------------------------------

    def _tree(self, problems: list[Problem]) -> Tree | None:
        source = self.candidate.spec.source
        if isinstance(source, Static) and self.candidate.target.edge is None:
            message = f"a static site is served by an edge proxy of ours, and {self.candidate.target.key} has none"
            problems.append(self._at(message, "source", "kind"))
            return None
        if not isinstance(source, LocalFolder | Static) or source.path is None:
            kind = source.kind if source is not None else "nothing"
            message = f"the process engine runs a local-folder or a static path, not {kind}"
            problems.append(self._at(message, "source", "kind"))
            return None
        folder = source.path.strip("/")
        tree = tree_of(self.around.catalog, self._source_of_folder(), folder)
        if tree is None:
            problems.append(self._at(f"there is no file in {folder or 'the source'}", "source", "path"))
        return tree

    def _source_of_folder(self) -> str:
        """A folder belongs to the source of the document that names it, which may be the base's."""
        layers = layers_of(self.around.catalog, self.candidate.document, self.candidate.key.environment)
        return next((layer.document.source for layer in reversed(layers) if "source" in layer.tree), "")

    def _artifact(self, tree: Tree) -> Artifact:
        build = self.candidate.spec.build
        commands = tuple(tuple(command) for command in build.commands) if build is not None else ()
        name = f"build-{digest([tree.id, commands], 20)}" if commands else tree.id
        return Artifact("tree", tree.id, name, commands)

    def _ports(self, problems: list[Problem]) -> tuple[Port, ...]:
        spec, target = self.candidate.spec, self.candidate.target
        behind_edge = http_ports(spec, self.routed) if target.edge is not None else frozenset()
        ports = ports_of(spec, assigned=target.engine == "process", behind_edge=behind_edge)
        if len(ports) > 1 and not any(port.main for port in ports):
            problems.append(self._at("one of several ports is named http, or has primary: true", "ports"))
        return ports

    # --- variables --------------------------------------------------------------------------------------------------

    def _variables(self, problems: list[Problem]) -> dict[str, Variable]:
        key, place = self.candidate.key, self.candidate.place
        found: dict[str, Variable] = {}
        if self.candidate.spec.env_mode != "replace":
            found |= from_settings(self.around.facts.variables)
            found |= from_document(place.project, "project", key.environment)
            found |= from_document(place.environment, "environment", key.environment)
        found |= self._env_files(problems)
        for layer in layers_of(self.around.catalog, self.candidate.document, key.environment):
            for name, variable in from_layer(layer, key.project, key.environment).items():
                if variable is None:
                    found.pop(name, None)
                else:
                    found[name] = variable
        return found

    def _env_files(self, problems: list[Problem]) -> dict[str, Variable]:
        found: dict[str, Variable] = {}
        for index, (path, text) in enumerate(self._env_texts()):
            if text is None:
                problems.append(self._at(f"{path} is not in the source", "envFrom", index, "path"))
                continue
            problems += env_file_errors(path, text)
            found |= dict(from_env_file(path, text))
        return found

    def _env_texts(self) -> list[tuple[str, str | None]]:
        paths = [entry.path.strip("/") for entry in self.candidate.spec.env_from or () if entry.path is not None]
        source = self.candidate.document.source
        return [(path, self.around.facts.env_files.get((source, path))) for path in paths]

    def _linked(self, name: str, variable: Variable, problems: list[Problem]) -> Variable:
        """The same variable with its link's port by name."""
        link = variable.value
        if not isinstance(link, Link):
            return variable
        other = self.around.candidates.get(link.resource)
        if other is None:
            problems.append(self._at(f"{link.resource} is blocked itself, or not there", "variables", name))
            return variable
        port = port_called(ports_of(other.spec, assigned=True), other.spec, link.port or None)
        if isinstance(other.spec.source, External):
            problems.append(self._at(f"{link.resource.name} is external and has no address here", "variables", name))
        elif port is None:
            wanted = f"port {link.port}" if link.port else "main port"
            problems.append(self._at(f"{link.resource.name} has no {wanted}", "variables", name))
        elif other.target.key != self.candidate.target.key:
            message = f"{link.resource.name} is on {other.target.key.name}: its internal address does not lead there"
            problems.append(self._at(message, "variables", name))
        return replace(variable, value=replace(link, port=port or ""))

    def _secrets(self, env: Mapping[str, Variable], problems: list[Problem]) -> dict[str, tuple[str, ...]]:
        """The digests of its secrets, by variable; a secret that cannot be had blocks it."""
        found: dict[str, tuple[str, ...]] = {}
        for name, variable in env.items():
            reference = variable.value
            if not isinstance(reference, SecretRef):
                continue
            if reference in self.around.facts.secrets:
                found[name] = self.around.facts.secrets[reference]
            else:
                why = self.around.facts.secret_errors.get(reference, "its value is not known yet")
                problems.append(Problem(variable.origin.place, f"variables.{name}", f"secret {reference}: {why}"))
        return found

    # --- volumes, rollout, the rest ---------------------------------------------------------------------------------

    def _mounts(self, problems: list[Problem]) -> tuple[Mount, ...]:
        mounts = []
        for path, mount in sorted((self.candidate.spec.storage or {}).items()):
            if not mount.env:
                message = "the process engine mounts nothing: name the variable that passes the place, as env"
                problems.append(self._at(message, "storage", path))
            key = ResourceKey("Volume", self.candidate.key.project, mount.volume, self.candidate.key.environment)
            made = self.around.volumes[key].object()
            mounts.append(Mount(path, made.name if made else volume_name(key), mount.mode, mount.env or ""))
        for second, first in reserved.shared(mounts):
            problems.append(self._at(f"{second.env} passes the place of {first.path} already", "storage", second.path))
        return tuple(mounts)

    def _rollout(self, ports: tuple[Port, ...], problems: list[Problem]) -> Rollout:
        spec = self.candidate.spec
        deploy = spec.deploy or Deploy()
        data = any(mount.mode == "rw" for mount in (spec.storage or {}).values())
        forced = self._why_stop_first(ports)
        if forced and deploy.strategy == "start-first":
            problems.append(self._at(f"start-first is not possible with {forced}", "deploy", "strategy"))
        declared = "declared" if deploy.strategy == "stop-first" else ""
        wish: Any = deploy.on_failure
        return Rollout(
            stop_first=bool(forced or declared),
            why=forced or declared,
            timeout=float(seconds(deploy.timeout)),
            drain=float(seconds(deploy.drain)),
            keep=deploy.keep_releases,
            data=data,
            restart_previous=wish == "restart-previous" or (wish is None and not data),
        )

    def _why_stop_first(self, ports: tuple[Port, ...]) -> str:
        """What forces one instance to go before the next comes."""
        if any(port.host_port for port in ports):
            return "a host port"
        if any(self._is_single_writer(mount.volume) for mount in self._writable()):
            return "a single-writer volume"
        fixed = [port.name for port in ports if port.fixed]
        if fixed and self.candidate.target.edge is not None:
            return f"port {fixed[0]}, which is not HTTP"
        return "a fixed port and no edge" if fixed else ""

    def _writable(self) -> list[Any]:
        return [mount for mount in (self.candidate.spec.storage or {}).values() if mount.mode == "rw"]

    def _is_single_writer(self, volume: str) -> bool:
        key = ResourceKey("Volume", self.candidate.key.project, volume, self.candidate.key.environment)
        return self.around.volumes[key].spec.access == "single-writer"

    def _dependencies(self) -> tuple[ResourceKey, ...]:
        key = self.candidate.key
        names = sorted(set(self.candidate.spec.depends_on or ()))
        return tuple(ResourceKey("Resource", key.project, name, key.environment) for name in names)

    def _notes(self, template: Template) -> list[Problem]:
        notes = [note for path, text in self._env_texts() if text is not None for note in env_file_notes(path, text)]
        replicas = self.candidate.spec.replicas
        if any(port.fixed for port in template.ports) and isinstance(replicas, int) and replicas > 1:
            message = "without an edge proxy before it, links to a port lead to the first instance only"
            notes.append(self._at(message, "replicas"))
        return notes

    def _at(self, message: str, *location: str | int) -> Problem:
        return self.candidate.problem(message, "spec", *location)


def _reason(problems: list[Problem]) -> str:
    secret = any(problem.message.startswith("secret ") for problem in problems)
    return "SecretUnavailable" if secret else "NotPossible"


def is_planned(candidate: Candidate) -> bool:
    """Whether it is something that we run, and that is to be there."""
    return candidate.spec.desired_state != "deleted" and not isinstance(candidate.spec.source, External)
