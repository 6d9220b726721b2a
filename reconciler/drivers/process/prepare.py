"""From a workload to what its shim or runner needs: looks up paths and secrets, and fills a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.objects import SecretRef, Workload
from reconciler.drivers.process import durable, layout, record, render, shim
from reconciler.drivers.process.artifacts import Artifacts
from reconciler.drivers.process.record import Launch
from reconciler.drivers.process.site import Site
from reconciler.drivers.process.volumes import Volumes
from reconciler.errors import Conflict, InvalidInput
from reconciler.ports import SecretResolver


@dataclass(frozen=True, slots=True)
class Preparation:
    """What instances and release commands have in common before they start."""

    site: Site
    artifacts: Artifacts
    volumes: Volumes
    secrets: SecretResolver

    def secret_values(self, workload: Workload) -> dict[str, str]:
        """By variable. Raises ``SecretUnavailable``; no message holds a value."""
        declared = workload.template.env
        return {name: self._secret(name, value) for name, value in declared if isinstance(value, SecretRef)}

    def _secret(self, name: str, reference: SecretRef) -> str:
        revealed = self.secrets.resolve(reference).reveal()
        try:
            text = revealed.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise InvalidInput(
                f"variable {name}: the secret {reference} is no text; a program's environment holds text"
            )
        return text

    def surroundings(
        self, workload: Workload, folder: Path, *, ports: Mapping[str, int], links: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> render.Surroundings:  # fmt: skip
        """Raises ``Conflict`` for what is not on the target yet."""
        return render.Surroundings(
            artifact=str(self.artifact_place(workload.template.artifact.name)),
            home=str(folder / "home"),
            tmp=str(folder / "tmp"),
            ports=ports,
            links=links,
            secrets=secrets,
            volumes={mount.volume: self.volumes.place(mount.volume) for mount in workload.template.mounts},
        )

    def artifact_place(self, name: str) -> Path:
        place = self.artifacts.place(name)
        if place is None:
            raise Conflict(f"artifact {name}: is not there yet")
        return place

    def check(self, workload: Workload) -> None:
        """Raises ``InvalidInput`` for what this engine can never run."""
        if workload.template.artifact.kind != "tree":
            raise InvalidInput(
                f"{workload.key}: runs from an image; the process engine runs local-folder and remote-git"
            )
        render.working_dir(workload.template)

    def start_dir(self, workload: Workload, artifact: str) -> str:
        """Where a program of the workload starts: in the artifact, and nowhere else."""
        place = (Path(artifact) / render.working_dir(workload.template)).resolve()
        if not place.is_relative_to(artifact):
            raise InvalidInput(f"workingDir {workload.template.working_dir!r}: leads outside the source")
        return str(place)

    def launch(self, workload: Workload, surroundings: render.Surroundings) -> Launch:
        env = render.environment(workload, surroundings)
        return Launch(
            argv=render.arguments(workload.template.command + workload.template.args, env),
            env=env,
            cwd=self.start_dir(workload, surroundings.artifact),
            user=workload.template.user,
            secrets=render.secret_names(workload, env, surroundings.secrets),
        )

    def adopt_volumes(self, workload: Workload) -> None:
        """Gives the top folder of volumes that we made to the user who writes there."""
        mine = {m.volume for m in workload.template.mounts if m.mode == "rw"}
        for volume in self.volumes.records() if mine and workload.template.user else ():
            if volume.mark.name in mine and not volume.bound:
                give(Path(volume.path), workload.template.user)


def make_folder(aside: Path, *, identity: object, launch: object, user: str) -> None:
    """Fills a new folder: its record, what to launch, a home, a place for temporary files, an empty log."""
    aside.mkdir(mode=0o711)
    os.chmod(aside, 0o711)
    for own in (aside / "home", aside / "tmp"):
        own.mkdir(mode=0o700)
        give(own, user)
    log = aside / layout.LOG
    log.touch(mode=0o600)
    give(log, user)
    record.write(aside / layout.LAUNCH, launch)
    record.write(aside / layout.RECORD, identity)


def publish(aside: Path, folder: Path) -> None:
    """Puts a filled folder on record, whole."""
    durable.sync_folder(aside)
    durable.move(aside, folder)


def give(path: Path, user: str) -> None:
    """Changes the owner, where this daemon may and the user exists; a launch says later if it does not."""
    if user and os.geteuid() == 0:
        with suppress(KeyError):
            _, uid, gid = shim.account(user)
            os.chown(path, uid, gid, follow_symlinks=False)


def isolation_note(user: str) -> str:
    """Why a workload is not kept apart from the daemon by its user, or ""."""
    if user and os.geteuid() == 0:
        return ""
    if not user:
        return "NotIsolated: runs as the daemon's user, since none is declared"
    return f"NotIsolated: runs as the daemon's user; only root may change to {user}"
