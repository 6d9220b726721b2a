"""The generated schemas: current, valid, and of one mind with the models."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from reconciler.manifests.decode import decode_file
from reconciler.manifests.kinds import KINDS
from reconciler.manifests.schema import generate, main
from reconciler.manifests.yaml_events import parts

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[1] / "schemas"
VALIDATORS = {name: jsonschema.Draft202012Validator(json.loads(text)) for name, text in generate().items()}
GOOD = [
    (path.stem, parsed.value)
    for path in sorted((HERE / "good").glob("*.yaml"))
    for part in parts(path.read_text())
    for parsed in part.documents
]
SCHEMA_SEES = [
    "unknown-field",
    "unknown-field-nested",
    "negative-replicas",
    "enum-typo",
    "source-kind-unknown",
    "unknown-kind",
    "project-missing",
    "name-in-capitals",
    "port-name-invalid",
    "secret-in-clear",
]


def test_are_current():
    """What is in the repository is what the models give; run the module with --write when it is not."""
    assert {path.name: path.read_text() for path in SCHEMAS.glob("*.json")} == generate()


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_are_schemas(name):
    """Every file is a valid schema of its dialect."""
    jsonschema.Draft202012Validator.check_schema(VALIDATORS[name].schema)


def test_good_manifests_cover_every_kind():
    """There is an example of each kind, and the decoder takes it."""
    assert {value["kind"] for _, value in GOOD} == KINDS.keys()
    for path in (HERE / "good").glob("*.yaml"):
        assert [p for d in decode_file(path.name, path.read_bytes()).documents for p in d.problems] == []


@pytest.mark.parametrize("value", [v for _, v in GOOD], ids=lambda v: f"{v['kind']}-{v['metadata']['name']}")
def test_accept_good_manifests(value):
    """What the decoder takes, its kind's schema and the union take."""
    VALIDATORS[f"{value['kind'].lower()}.json"].validate(value)
    VALIDATORS["all.json"].validate(value)


@pytest.mark.parametrize("name", SCHEMA_SEES)
def test_refuse_what_an_editor_can_see(name):
    """Mistakes that show in one document alone are underlined while typing."""
    (part,) = parts((HERE / "bad" / f"{name}.yaml").read_text())
    assert not VALIDATORS["all.json"].is_valid(part.documents[0].value)


def test_say_what_is_not_supported_yet():
    """A field that waits for its feature says so where editors show it."""
    properties = VALIDATORS["resource.json"].schema["$defs"]["ResourceSpec"]["properties"]
    assert properties["files"]["description"].endswith("Not supported by this version yet.")
    assert VALIDATORS["cluster.json"].schema["description"].endswith("Not supported by this version yet.")
    assert "x-later" not in "".join(generate().values())


def test_check_and_write(tmp_path, capsys):
    """--check names what is not current and fails; --write mends it, and then --check is content."""
    with pytest.raises(SystemExit, match="1"):
        main(["--check", str(tmp_path)])
    assert "resource.json" in capsys.readouterr().err
    main(["--write", str(tmp_path)])
    main(["--check", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == generate().keys()
