"""The units in systemd/: they load, the hardened one is as confined as promised, the other lets workloads live on."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

UNITS = Path(__file__).parents[2] / "systemd"
NAMES = ("reconciler.service", "reconciler-process.service")


@pytest.fixture
def analyze(needs):
    """Runs systemd-analyze."""
    program = needs("systemd-analyze", get="install the package systemd")

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)

    return run


def settings_of(unit: str) -> configparser.SectionProxy:
    """The last value of each key in the section Service."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / unit)
    return parser["Service"]


def exposure(analyze, unit: Path) -> float:
    """The overall exposure: 0 is best, 10 is worst."""
    answer = analyze("security", "--offline=true", "--json=short", unit)
    ranking = analyze("security", "--offline=true", "--no-pager", unit).stdout
    assert json.loads(answer.stdout), answer.stderr
    return float(ranking.rsplit("exposure level for", 1)[1].split(":")[1].split()[0])


def test_the_hardened_unit_exposes_little(analyze):
    """The hardened unit scores 2.0 or better."""
    assert exposure(analyze, UNITS / "reconciler.service") <= 2.0


def test_the_score_notices_a_lost_line(analyze, tmp_path):
    """The score is measured, not printed: without its protections the same unit scores worse than 2.0."""
    lines = (UNITS / "reconciler.service").read_text().splitlines()
    unit = tmp_path / "reconciler.service"
    unit.write_text("\n".join(line for line in lines if not line.startswith(("Private", "Protect", "Capability"))))
    assert exposure(analyze, unit) > 2.0


@pytest.mark.parametrize("name", NAMES)
def test_units_load_without_a_complaint(analyze, tmp_path, name):
    """systemd understands every line, once the program is where the unit says."""
    unit = tmp_path / name
    unit.write_text((UNITS / name).read_text().replace("/opt/reconciler/bin/reconciler", sys.executable))
    answer = analyze("verify", "--man=no", "--generators=no", unit)
    complaints = [line for line in answer.stderr.splitlines() if line.startswith((name, str(unit)))]
    assert (answer.returncode, complaints) == (0, [])


def test_workloads_outlive_the_daemon():
    """Stopping the unit of the process engine ends the daemon alone, and so does a workload out of memory."""
    service = settings_of("reconciler-process.service")
    assert (service["KillMode"], service["OOMPolicy"], service["Delegate"]) == ("process", "continue", "yes")


@pytest.mark.parametrize(("name", "other"), [NAMES, NAMES[::-1]])
def test_the_units_are_alternatives(name, other):
    """Starting one stops the other: two daemons never share the state directory."""
    assert f"Conflicts={other}" in (UNITS / name).read_text().splitlines()


def test_both_units_start_the_same_command():
    """Choosing the other unit changes the confinement, not the daemon."""
    assert len({settings_of(name)["ExecStart"] for name in NAMES}) == 1
