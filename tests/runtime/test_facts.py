"""What is gathered before anything is resolved, and what is masked on its way out."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
import structlog

from reconciler.desired.objects import Desired, SecretRef, TargetObject
from reconciler.errors import SecretUnavailable
from reconciler.manifests.catalog import build
from reconciler.manifests.decode import decode_file
from reconciler.manifests.identity import ResourceKey, server
from reconciler.manifests.revision import File, Revision
from reconciler.plan.actions import Progress
from reconciler.ports import Remembered
from reconciler.runtime import logs
from reconciler.runtime.facts import FactGatherer
from reconciler.runtime.masking import MaskedLedger
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.outlook import look_ahead
from reconciler.runtime.periodic import Periodic
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger

WEB = b"""
apiVersion: reconciler.dev/v1alpha1
kind: Project
metadata: {name: shop}
spec: {environments: {live: {target: {server: here}}}}
---
apiVersion: reconciler.dev/v1alpha1
kind: Server
metadata: {name: here}
spec: {connection: {kind: local}, engine: process}
---
apiVersion: reconciler.dev/v1alpha1
kind: Resource
metadata: {name: web, project: shop}
spec:
  source: {kind: local-folder, path: app}
  envFrom: [{path: shared.env}, {path: missing.env}]
  variables: {KEY: {secret: {file: /s/key}}, TOKEN: {secret: {env: SHOP_TOKEN}}}
"""


class Blobs:
    def __init__(self):
        self.reads = []

    def read(self, source, blobs):
        self.reads += sorted(blobs)
        return dict.fromkeys(blobs, b"\xef\xbb\xbfA=1\n")


class Vault:
    def digests(self, reference):
        if reference.provider == "env":
            raise SecretUnavailable(f"{reference}: is not set")
        return ("k1:abc",)


@pytest.fixture
def catalog():
    files = {path: File(path, path[:1] * 40) for path in ("web.yaml", "shared.env")}
    return build({"main": Revision("main", "r", files)}, {("main", "web.yaml"): decode_file("web.yaml", WEB)})


def test_digests_errors_texts_and_variables_are_gathered(catalog):
    """Everything that the world adds, and what is missing by name."""
    blobs = Blobs()
    gatherer = FactGatherer(frozenset({"main", "other"}), blobs, Vault, lambda: {"REGION": "eu"})
    facts = gatherer.gather(catalog)
    assert facts.secrets == {SecretRef("file", "/s/key"): ("k1:abc",)}
    assert facts.secret_errors == {SecretRef("env", "SHOP_TOKEN"): "env:SHOP_TOKEN: is not set"}
    assert facts.env_files == {("main", "shared.env"): "A=1\n"}
    assert (facts.variables, facts.unread) == ({"REGION": "eu"}, {"other"})
    assert gatherer.gather(catalog) == facts
    assert blobs.reads == ["s" * 40]


class Notebook:
    """Keeps what it is given."""

    def __init__(self):
        self.kept = []

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.kept.append((name, args, kwargs))


def test_no_secret_value_reaches_the_ledger_in_a_message(unit):
    """Whichever of its records quotes it."""
    notebook = Notebook()
    ledger = MaskedLedger(notebook, lambda text: text.replace("hunter2", "****"))
    key = ResourceKey("Resource", "shop", "web", "production")
    said = "exited: hunter2"
    condition = Condition(ConditionType.READY, Truth.FALSE, "Unhealthy", said, 1.0)
    deployment = Deployment("d", key, unit, "g", "r", "v", Trigger.CREATE, DeploymentStatus.FAILED, 1.0, message=said)
    ledger.append([Event(1.0, "action-failed", said)])
    ledger.save_conditions({key: (condition,)})
    ledger.put_deployment(deployment)
    ledger.commit_plan(unit, inventory=None, progress={key: Progress("g", 1.0, message=said)})
    ledger.save_holds(frozenset({key}))
    assert "hunter2" not in str(notebook.kept)
    assert str(notebook.kept).count("exited: ****") == 4
    assert notebook.kept[2][1] == (replace(deployment, message="exited: ****"),)
    assert [name for name, _, _ in notebook.kept][-1] == "save_holds"


def test_the_log_is_masked_after_tracebacks_were_made_text(capsys):
    """A value in an exception does not leave in its traceback."""
    before = structlog.get_config()
    mask = lambda _logger, _method, event: {k: str(v).replace("hunter2", "****") for k, v in event.items()}
    logs.configure(level="info", as_json=True, mask=mask)
    try:
        raise ValueError("bad hunter2")
    except ValueError:
        structlog.get_logger("x").exception("pass failed", unit="here")
    structlog.get_logger("x").debug("quiet")
    structlog.configure(**before)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "pass failed"
    assert "bad ****" in line
    assert "hunter2" not in line


def test_a_periodic_task_goes_on_after_a_failure_and_ends():
    """What it raises is told only."""
    calls, twice = [], threading.Event()

    def task():
        calls.append(1)
        if len(calls) >= 2:
            twice.set()
        raise ValueError("x")

    periodic = Periodic("prune", task, interval=0.001)
    with structlog.testing.capture_logs():
        periodic.start()
        assert twice.wait(30)
        periodic.stop()
    assert not periodic._thread.is_alive()


def test_figures_are_rendered_without_a_series_per_resource():
    """Depth and age are asked for when somebody reads."""
    metrics = Metrics()
    metrics.watch_queue(lambda: 3)
    metrics.watch_source("main", lambda: 12.5)
    text = metrics.render().decode()
    assert "reconciler_queue_depth 3.0" in text
    assert 'reconciler_source_age_seconds{source="main"} 12.5' in text


def test_looking_ahead_counts_what_cannot_be_seen_as_unknown():
    """It plans nothing there, and says why."""

    def refuse(described):
        raise KeyError("no engine")

    here = server("here")
    outlook = look_ahead(Desired(targets={here: TargetObject(here, "process")}), Remembered(), refuse, now=1.0)
    assert outlook.unseen == {here: "'no engine'"}
    assert outlook.way.steps == ()
