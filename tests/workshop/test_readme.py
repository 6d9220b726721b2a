"""What the README promises is there: commands, files, and the manifest it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from reconciler.manifests.decode import decode_file
from reconciler.settings import described, parse

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
VERBS = sorted(set(re.findall(r"(?:^|[`/ ])reconciler ([a-z][a-z-]+)(?=[ `\n])", README, flags=re.MULTILINE)) - {"is"})
LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", README)))
SCRIPTS = sorted(set(re.findall(r"(?:^|[`$ ])((?:\.ci|examples|tests)/[a-z]+)(?=[ `\n])", README, flags=re.MULTILINE)))


def test_it_names_what_is_to_be_checked():
    """The patterns below find something, so that they check something."""
    assert len(VERBS) >= 5
    assert {"examples/run", "tests/run", ".ci/run"} <= set(SCRIPTS)
    assert LINKS


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link):
    """Every relative link leads to a file or folder."""
    assert (ROOT / link).exists()


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_there(script):
    """Every script that the README tells to run exists."""
    assert (ROOT / script).is_file()


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_exist(verb):
    """Every verb of the command line that the README names is one."""
    from reconciler.cli.app import app

    assert isinstance(app, typer.Typer)
    assert verb in get_command(app).commands  # type: ignore[attr-defined]


def test_nothing_is_left_to_fill_in():
    """No placeholder of a draft is left."""
    assert re.findall(r"@[A-Z]+@|\bTODO\b|\bTBD\b", README) == []


@pytest.mark.parametrize("setting", list(described()), ids=lambda setting: setting.name)
def test_settings_are_documented(setting):
    """Every setting that holds a value has its row, with its default and its meaning as the program has them."""
    if any(other.name.startswith(f"{setting.name}.") for other in described()):
        assert setting.description
    else:
        default = f"`{setting.default}`" if setting.default else "required"
        assert f"| `{setting.name}` | {default} | {setting.description} |" in README.splitlines()


def test_the_settings_shown_are_valid():
    """The settings file that the README shows is one."""
    shown = re.findall(r"```yaml\n(instanceId:.*?)```", README, flags=re.DOTALL)
    assert [parse("README.md", text).instance_id for text in shown] == ["home"]


def test_the_manifest_shown_is_valid():
    """The manifest that the README begins with is one."""
    shown = re.findall(r"```yaml\n(apiVersion:.*?)```", README, flags=re.DOTALL)
    decoded = [document for text in shown for document in decode_file("README.md", text.encode()).documents]
    assert [document.problems for document in decoded] == [()]
