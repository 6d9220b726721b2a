"""Every file in examples/ is validated, and every example is planned, the whole way, without touching anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.desired.assemble import assemble
from reconciler.desired.facts import Facts
from reconciler.manifests.catalog import build, candidates
from reconciler.manifests.decode import decode_file
from reconciler.observed.snapshot import Health, Target
from reconciler.plan.model import Model
from reconciler.plan.simulate import Simulation
from reconciler.sources.directory import DirectorySource

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and list(path.rglob("*.yaml")))


def catalog_of(folder: Path):
    """What a folder declares, read as the daemon reads it."""
    source = DirectorySource("examples", root=folder)
    revision = source.revision()
    files = [revision.files[path] for path in candidates(revision)]
    contents = source.read({file.blob for file in files})
    return build({"examples": revision}, {("examples", f.path): decode_file(f.path, contents[f.blob]) for f in files})


def planned(folder: Path):
    """What a folder means, and the simulation of its way from nothing to all of it."""
    desired = assemble(catalog_of(folder), Facts())
    return desired, Simulation(Model({key: Target() for key in desired.targets})).settle(desired)


def test_there_is_something_to_check():
    """The quickstart is among the examples."""
    assert EXAMPLES / "quickstart" in FOLDERS


def test_no_manifest_lies_outside_the_examples_that_are_checked():
    """A manifest directly in examples/ would be planned by nobody."""
    assert [path.name for path in EXAMPLES.glob("*.y*ml")] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_file_is_a_manifest_without_a_problem(folder):
    """Whoever copies an example copies something valid: no problem, and no file that is passed over."""
    catalog = catalog_of(folder)
    assert [str(problem) for problem in catalog.problems] == []
    assert dict(catalog.ignored) == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_example_comes_to_run(folder):
    """Nothing blocks, and in the end every replica of every resource is healthy."""
    desired, simulation = planned(folder)
    assert [str(block.problem) for block in desired.blocks] == []
    assert [block for plan in simulation.plans.values() for block in plan.blocks] == []
    healthy = sorted(
        str(instance.key)
        for target in simulation.model.targets.values()
        for instance in target.instances.values()
        if instance.health is Health.HEALTHY
    )
    assert healthy == sorted(str(workload.key) for workload in desired.workloads for _ in range(workload.replicas))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_example_that_runs_is_left_alone(folder):
    """The next passes have nothing to do."""
    desired, simulation = planned(folder)
    steps = len(simulation.steps)
    assert steps > 0
    simulation.settle(desired)
    assert len(simulation.steps) == steps


def test_the_quickstart_is_two_environments_and_a_page():
    """What the README says runs is what is planned."""
    desired, simulation = planned(EXAMPLES / "quickstart")
    titles = {f"{workload.key.environment}/{workload.key.name}" for workload in desired.workloads}
    assert titles == {"production/docs", "production/web", "production/worker", "staging/web", "staging/worker"}
    volumes = [name for target in simulation.model.targets.values() for name in target.volumes]
    assert len(volumes) == 4
