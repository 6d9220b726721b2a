"""Whatever somebody commits by mistake, while everything runs: it is told, the others go on, and nothing goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.validation import judge
from tests.manifests.conftest import BASE, HEAD
from tests.runtime.conftest import FakeClock
from tests.runtime.living import Living

BAD = sorted((Path(__file__).parents[1] / "manifests" / "bad").glob("*.yaml"))
EXPECT = "# expect: "
MARKET = f"""\
{HEAD}kind: Project
metadata: {{name: market}}
spec: {{environments: {{live: {{target: {{server: here}}}}}}}}
---
{HEAD}kind: Resource
metadata: {{name: stall, project: market}}
spec: {{source: {{kind: local-folder, path: app}}, command: [stall], ports: {{http: 8000}}}}
---
{HEAD}kind: Resource
metadata: {{name: till, project: market}}
spec: {{source: {{kind: local-folder, path: app}}, command: [till], storage: {{/cash: {{volume: cash, env: CASH}}}}}}
"""


@pytest.fixture(scope="module")
def living(tmp_path_factory):
    """A shop and a market that run. One for all mistakes: each is made, looked at, and taken back."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "app").mkdir()
    (folder / "app" / "run.py").write_text("print()")
    (folder / "base.yaml").write_text(BASE)
    (folder / "market.yaml").write_text(MARKET)
    living = Living(folder, FakeClock())
    living.look()
    yield living
    living.close()


@pytest.fixture
def mistake(living: Living):
    """Commits a file beside the good ones, and takes it away afterwards: everything is as it was."""
    before = living.instances()

    def made(content: bytes) -> Living:
        (living.folder / "bad.yaml").write_bytes(content)
        living.look(quiet=60.0)
        return living

    yield made
    (living.folder / "bad.yaml").unlink()
    living.look(quiet=60.0)
    assert living.instances() == before


def expected(path: Path) -> list[str]:
    return [line.removeprefix(EXPECT) for line in path.read_text().splitlines() if line.startswith(EXPECT)]


def ready(living: Living, project: str) -> list[str]:
    found = living.ask(f"resources?project={project}")["items"]
    return sorted(item["id"] for item in found if item["ready"] == "True" and item["health"] == "healthy")


def test_everything_runs_at_first(living):
    """There is something that a mistake could break."""
    assert ready(living, "market") == ["market/live/stall", "market/live/till"]
    assert ready(living, "shop") == ["shop/production/api"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_touches_nothing_that_runs(mistake, living, path):
    """Not one action on anything that ran before, and the neighbours stay Ready."""
    before, done = living.instances(), len(living.done())
    mistake(path.read_bytes())
    after = living.instances()
    assert {name: after.get(name) for name in before} == before
    assert [name for _, name in living.done(since=done) if name in before] == []
    assert ready(living, "market") == ["market/live/stall", "market/live/till"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_wherever_somebody_looks(mistake, path):
    """With file, line and column: at the source, by the doctor, and by validate before it is committed."""
    living = mistake(path.read_bytes())
    (source,) = living.ask("sources")["items"]
    checks = living.ask("doctor")["checks"]
    doctor = [check["message"] for check in checks if check["status"] == "failed"]
    validated = judge(living.folder).problems
    told = [
        " ".join(filter(None, (p["place"], p["field"] and f"{p['field']}:", p["message"]))) for p in source["problems"]
    ]
    for problem in expected(path):
        assert problem in told
        assert problem in doctor
        assert problem in validated
