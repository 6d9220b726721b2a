"""The verbs: formats, names, exit codes, and what is said when something is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.api.server import StatusServer
from reconciler.cli import asking, history, names
from reconciler.cli.reference import main as reference
from tests.api import shop
from tests.cli.conftest import Typed

# --- formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", names.PLURALS)
def test_every_list_in_every_format(asked: Typed, kind: str) -> None:
    """JSON, YAML and names say the same things, of every kind."""
    as_json = json.loads(asked("get", kind, "-o", "json").out)
    as_yaml = YAML(typ="safe").load(asked("get", kind, "-o", "yaml").out)
    listed = asked("get", kind, "-o", "name").out.splitlines()
    assert as_json
    assert as_yaml == as_json
    assert len(listed) == len(as_json)


def test_one_thing_in_full(asked: Typed) -> None:
    """A name with -o json is the whole view, not its line."""
    for arguments, field in (
        (("resources", "worker"), "instances"),
        (("env", "production"), "volumes"),
        (("servers", "vps1"), "unknown"),
        (("projects", "shop"), "environmentNames"),
        (("deployments", "d-2"), "snapshot"),
    ):
        assert field in json.loads(asked("get", *arguments, "-o", "json").out)


def test_no_colours_where_no_terminal_is(asked: Typed) -> None:
    """Captured output holds no escape."""
    assert "\x1b" not in asked("status").out


def test_a_text_cannot_steer_the_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """An escape in a program's output is shown, not obeyed."""

    class Rude(shop.Printed):
        def logs(self, target, instance, *, tail, follow=False):
            yield "\x1b]0;owned\x07\x1b[2J"

    server = StatusServer(shop.surface(logs=Rude()), port=0)
    server.start()
    monkeypatch.setenv("RECONCILER_URL", server.url)
    shown = typed("logs", "worker").out
    server.stop()
    assert "\\x1b]0;owned\\x07\\x1b[2J\n" in shown
    assert not {"\x1b", "\x07"} & set(shown)


# --- names ------------------------------------------------------------------------------------------------------------


def test_an_ambiguous_name_lists_the_candidates(asked: Typed) -> None:
    """And says which options make it unique."""
    said = asked("describe", "web")
    assert (said.code, said.out) == (1, "")
    assert "-p PROJECT or -e ENVIRONMENT" in said.err
    assert "  shop/production/web\n  shop/staging/web" in said.err


@pytest.mark.parametrize(
    "name", ["staging/web", "shop/staging/web", "Resource/staging/web", "resource/shop/staging/web"]
)
def test_as_much_of_a_name_as_is_needed(asked: Typed, name: str) -> None:
    """Any unique tail of project/environment/name, with or without its kind."""
    assert json.loads(asked("describe", name, "-o", "json").out)["id"] == "shop/staging/web"


def test_an_unknown_name_has_a_hint(asked: Typed) -> None:
    """Something near it is named; an unknown kind lists the known ones."""
    assert "did you mean shop/production/worker" in asked("why", "work").err
    assert "is none of projects, environments" in asked("get", "pods").err


# --- filters ----------------------------------------------------------------------------------------------------------


def test_history_since(asked: Typed) -> None:
    """Only what began in that time."""
    assert len(json.loads(asked("history", "--since", "1h", "-o", "json").out)) == 3
    assert asked("history", "--since", "5m").err == "no rollouts in the last 5m\n"
    assert len(json.loads(asked("history", "worker", "-o", "json").out)) == 1
    assert "is not a duration" in asked("history", "--since", "soon").err


def test_logs_follow_to_their_end(asked: Typed) -> None:
    """Lines with their instance; an end when nothing more comes."""
    said = asked("logs", "-f", "worker", "-n", "1")
    assert said.code == 0
    assert "shop-production-worker-bbbbbbbbbb-0  three ****" in said.out.splitlines()


def test_a_plan_of_a_quiet_environment(asked: Typed) -> None:
    """Nothing to do is exit code 0."""
    said = asked("plan", "-e", "staging")
    assert (said.code, said.out) == (0, "now: nothing to do\n")


# --- wait -------------------------------------------------------------------------------------------------------------


def test_wait_ends_when_it_is_ready(asked: Typed) -> None:
    """At the revision that was asked for, by its beginning."""
    said = asked("wait", "production/web", "--revision", "c0ffee")
    assert (said.code, said.out) == (0, "shop/production/web is ready at c0ffee0000\n")


def test_wait_gives_up(asked: Typed) -> None:
    """2 when the time is over, and how things stand."""
    said = asked("wait", "production/web", "--revision", "0000", "--timeout", "0s")
    assert said.code == 2
    assert "is not ready after 0s" in said.err


def test_wait_does_not_wait_for_what_failed(asked: Typed) -> None:
    """1 at once when the rollout has failed, with why."""
    said = asked("wait", "worker", "--timeout", "5m")
    why = "shop/production/worker failed: exited 4 times before it was healthy\n"
    assert (said.code, said.out) == (1, f"{why}  → reconciler why Resource/shop/production/worker\n")


def test_a_new_rollout_is_waited_for(asked: Typed) -> None:
    """An old failure says nothing of the generation that is wanted now."""
    view = json.loads(asked("describe", "worker", "-o", "json").out)
    assert history.judged(view, "") is not None
    assert history.judged({**view, "rollout": {**view["rollout"], "wanted": "another"}}, "") is None


# --- without a daemon -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["status", "plan", "diff", "doctor", "events", "history", "get work", "why web"])
def test_without_a_daemon_one_line_says_what_to_do(
    typed: Typed, verb: str, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    """Unreachable is exit code 1, one line on standard error, and the next step."""
    monkeypatch.setenv("RECONCILER_URL", f"http://127.0.0.1:{unused_port}")
    said = typed(*verb.split())
    assert (said.code, said.out) == (1, "")
    assert said.err.count("\n") == 1
    assert "start one with `reconciler run`" in said.err


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_token_is_sent_and_asked_for(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong one is told with the variable to set; the right one is accepted."""
    server = StatusServer(shop.surface(token="right"), port=0)
    server.start()
    monkeypatch.setenv("RECONCILER_URL", server.url)
    monkeypatch.setenv("RECONCILER_TOKEN", "wrong")
    refused = typed("status")
    monkeypatch.setenv("RECONCILER_TOKEN", "right")
    accepted = typed("status")
    server.stop()
    assert (refused.code, accepted.code) == (1, 0)
    assert "set RECONCILER_TOKEN" in refused.err


def test_an_address_that_is_none(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """RECONCILER_URL is named with what it holds."""
    monkeypatch.setenv("RECONCILER_URL", "localhost:7780")
    assert "RECONCILER_URL: 'localhost:7780' is not an address" in typed("status").err


# --- validate, schema, version ----------------------------------------------------------------------------------------

GOOD = """\
apiVersion: reconciler.dev/v1alpha1
kind: Server
metadata: {name: here}
spec: {connection: {kind: local}, engine: process}
"""
BAD = """\
apiVersion: reconciler.dev/v1alpha1
kind: Project
metadata: {name: shop}
spec: {environments: {production: {target: {server: nowhere}}}}
---
apiVersion: reconciler.dev/v1alpha1
kind: Resource
metadata: {name: web, project: shop}
spec: {source: {kind: local-folder, path: .}, comand: [python], replicas: -1}
"""


def test_validate_says_all_problems_at_once(typed: Typed, tmp_path: Path) -> None:
    """A dangling reference, a typo and a bad number, each at its place, without a daemon."""
    (tmp_path / "server.yaml").write_text(GOOD)
    (tmp_path / "shop.yaml").write_text(BAD)
    said = typed("validate", str(tmp_path))
    places = [line.split(" ")[0] for line in said.out.splitlines()]
    assert said.code == 1
    assert {place.rsplit(":", 2)[0] for place in places} == {"shop.yaml"}
    assert {place.split(":")[1] for place in places} == {"4", "9"}
    assert "comand" in said.out
    assert "replicas" in said.out
    assert "nowhere" in said.out


def test_validate_says_what_is_not_supported_yet(typed: Typed, tmp_path: Path) -> None:
    """A kind whose time has not come is a problem, not silence."""
    template = "apiVersion: reconciler.dev/v1alpha1\nkind: Cluster\nmetadata: {name: c}\nspec: {inCluster: true}\n"
    (tmp_path / "cluster.yaml").write_text(template)
    said = typed("validate", str(tmp_path))
    assert said.code == 1
    assert "not supported by this version yet" in said.out


def test_validate_is_content(typed: Typed, tmp_path: Path) -> None:
    """Good manifests: nothing on standard output, 0; a missing path is an error."""
    (tmp_path / "server.yaml").write_text(GOOD)
    said = typed("validate", str(tmp_path))
    assert (said.code, said.out, said.err) == (0, "", "1 manifests, 0 resources to run: all is well\n")
    assert typed("validate", str(tmp_path / "server.yaml")).code == 0
    assert "there is no such file" in typed("validate", str(tmp_path / "none")).err


def test_schemas(typed: Typed) -> None:
    """Of one kind, of all, and what is known when it is neither."""
    assert json.loads(typed("schema", "Resource").out)["$schema"].startswith("https://json-schema.org/")
    assert json.loads(typed("schema").out)
    assert "known: agentsandbox" in typed("schema", "Pod").err


def test_version(typed: Typed) -> None:
    """Something that is one line."""
    assert typed("version").out.count("\n") == 1


def test_usage_errors_are_64(typed: Typed) -> None:
    """An unknown verb, option or format."""
    codes = {typed(*line.split()).code for line in ("frobnicate", "get", "status --nope", "get work -o xml", "wait")}
    assert codes == {64}


def test_settings_that_are_missing(typed: Typed, tmp_path: Path) -> None:
    """run, hold and reconcile-now name the file they looked for."""
    missing = str(tmp_path / "none.yaml")
    for line in (["run"], ["run", "--once"], ["hold", "x"], ["reconcile-now"]):
        said = typed(*line, "--config", missing)
        assert said.code == 1
        assert missing in said.err


def test_the_reference_is_current() -> None:
    """The committed text of every verb is what their help says."""
    assert reference(["--check"]) == 0


def test_a_defect_is_one_line(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is told without a traceback, and how to get one."""

    def broken() -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr("reconciler.cli.client.client", broken)
    said = typed("status")
    assert (said.code, said.err) == (1, "reconciler: a defect: RuntimeError: oh; RECONCILER_DEBUG=1 shows where\n")


# --- the real program -------------------------------------------------------------------------------------------------


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
    )


@pytest.mark.real
def test_exit_codes_of_the_program(daemon: StatusServer) -> None:
    """0, 1, 2 and 64, as its help says."""
    lines = (("status",), ("why", "web"), ("plan",), ("frobnicate",))
    assert [program(*line, RECONCILER_URL=daemon.url).returncode for line in lines] == [0, 1, 2, 64]


@pytest.mark.real
def test_help_is_light() -> None:
    """Showing the help imports neither git nor an HTTP server nor the kinds."""
    code = (
        "import sys; from reconciler.cli.app import run; run(['--help']);"
        "heavy = {'git', 'starlette', 'uvicorn', 'pydantic', 'ruamel', 'rich', 'orjson', 'structlog', 'watchfiles'};"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stderr.strip() == "[]"
    assert "Exit codes: 0 all is well" in done.stdout


@pytest.mark.real
def test_a_closed_pipe_is_quiet(daemon: StatusServer) -> None:
    """``reconciler … | head`` ends without a word."""
    command = f"{sys.executable} -m reconciler get resources -o json | head -c 10"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "RECONCILER_URL": daemon.url},
    )
    assert done.stderr == ""


def test_last_words_stay_below_their_line(typed: Typed, asked: Typed) -> None:
    """A message of several lines does not fall out of its section."""
    view = json.loads(asked("describe", "worker", "-o", "json").out)
    words = {**view["instances"][0], "detail": "exit code 3\nline one\nline two"}
    assert asking.indented(asking.reasons({**view, "instances": [words], "conditions": []})[1]).splitlines()[1:] == [
        "      line one",
        "      line two",
    ]


def test_nothing_is_said_twice(asked: Typed) -> None:
    """A condition that repeats its block is no second reason."""
    view = json.loads(asked("describe", "beat", "-o", "json").out)
    (block,) = view["blocks"]
    echo = {"type": "Ready", "status": "False", "reason": block["reason"], "message": block["message"]}
    assert len(asking.reasons({**view, "conditions": [echo]})) == 1
