"""Jobs: one start, one end on record, whoever lives to see it."""

import json
import os
from dataclasses import replace

import pytest

from reconciler.desired.objects import SecretRef
from reconciler.errors import Conflict
from reconciler.observed.snapshot import JobState
from reconciler.plan.actions import JobSpec, Verb
from tests.drivers.process.bench import HTTP, alive, anybodys_python, kill, python

pytestmark = pytest.mark.real


def run(bench, *commands, **spec):
    """The job once it has ended."""
    workload = spec.pop("workload", None) or bench.workload()
    job = bench.create_job(workload, *commands, **spec)
    bench.act(Verb.START_JOB, "job", expects=job.uid)
    bench.until(lambda: bench.driver.observe().jobs["job"].state not in (JobState.CREATED, JobState.RUNNING))
    return bench.driver.observe().jobs["job"]


def say(word):
    return python(f"print({word!r})")


def test_commands_run_in_order(bench):
    """One after the other, in one log."""
    assert run(bench, say("one"), say("two")).state is JobState.SUCCEEDED
    assert list(bench.driver.logs("job", tail=9)) == ["one", "two"]


def test_the_first_failure_ends_it(bench):
    """With its exit code, and its last words for people."""
    job = run(bench, python("print('no table'); raise SystemExit(4)"), say("never"))
    assert (job.state, job.exit_code) == (JobState.FAILED, 4)
    assert "exit code 4" in job.detail and "no table" in job.detail
    assert "never" not in list(bench.driver.logs("job", tail=9))


@pytest.mark.parametrize(("command", "code"), [(("no-such-program",), 127), (("/",), 126)])
def test_a_command_that_cannot_be_run(bench, command, code):
    """Exit codes as a shell has them."""
    assert run(bench, command).exit_code == code


def test_it_runs_as_its_workload_would(bench):
    """The same variables, the same place; a port of its own, since the declared ones are taken."""
    bench.secrets.values["token"] = b"canary-4711"
    web = bench.create(bench.workload(ports=HTTP))
    source = "import os; print(os.environ['TOKEN'], os.environ['PORT'], os.getcwd())"
    workload = bench.workload(ports=HTTP, env={"TOKEN": SecretRef("file", "token")})
    run(bench, python(source), workload=workload)
    (line,) = bench.driver.logs("job", tail=9)
    token, port, cwd = line.split()
    assert (token, cwd) == ("****", str(bench.root / "artifacts" / bench.tree.id))
    assert port != str(web.ports["http"])


def test_a_failure_shows_no_secret(bench):
    """What a program prints is masked where it is shown."""
    bench.secrets.values["token"] = b"canary-4711"
    workload = bench.workload(env={"TOKEN": SecretRef("file", "token")})
    job = run(bench, python("import os; raise SystemExit(os.environ['TOKEN'])"), workload=workload)
    assert "****" in job.detail and "canary" not in job.detail


def test_it_takes_too_long(bench):
    """It is ended with its children, and says so."""
    source = f"""
import os, subprocess, time
child = subprocess.Popen(['/bin/sleep', '60'], start_new_session=False)
with open({str(bench.runs)!r}, 'a') as runs: runs.write(f'{{os.getpid()}}\\n{{child.pid}}\\n')
time.sleep(60)
"""
    job = run(bench, python(source), timeout=1.0)
    assert (job.state, job.exit_code) == (JobState.FAILED, 124)
    assert "timed out after 1 s" in job.detail
    assert len(bench.started()) == 2 and not any(map(alive, bench.started()))


def test_the_exit_code_survives_the_daemon(bench):
    """Nobody of ours looks while it ends."""
    job = bench.create_job(bench.workload(), python("import time; time.sleep(0.5); raise SystemExit(7)"))
    bench.act(Verb.START_JOB, "job", expects=job.uid)
    bench.driver.close()
    bench.driver = bench.another()
    assert bench.driver.observe().jobs["job"].state is JobState.RUNNING
    bench.until(lambda: bench.driver.observe().jobs["job"].state is JobState.FAILED)
    assert bench.driver.observe().jobs["job"].exit_code == 7


def test_a_killed_runner_leaves_a_lost_job(bench):
    """It started, nobody knows how it ended, and it is not started again."""
    source = f"import time\nopen({str(bench.runs)!r}, 'a').write('1\\n')\ntime.sleep(60)"
    job = bench.create_job(bench.workload(), python(source))
    bench.act(Verb.START_JOB, "job", expects=job.uid)
    bench.until(lambda: bench.started() == [1])
    kill(bench.run_of(bench.root / "jobs" / "job").pid)
    bench.until(lambda: bench.driver.observe().jobs["job"].state is JobState.LOST)
    bench.act(Verb.START_JOB, "job", expects=job.uid)
    assert bench.driver.observe().jobs["job"].state is JobState.LOST
    assert bench.started() == [1]


def test_its_end_is_told(watched):
    """The one who watches is called."""
    job = watched.create_job(watched.workload(), python("import time; time.sleep(0.3)"))
    watched.act(Verb.START_JOB, "job", expects=job.uid)
    before = watched.changes
    watched.until(lambda: watched.changes > before)
    watched.until(lambda: watched.driver.observe().jobs["job"].state is JobState.SUCCEEDED)


def test_a_receipt_of_something_else(bench):
    """A name stands for one slot."""
    bench.create_job(bench.workload(), say("x"), slot="release:1")
    with pytest.raises(Conflict, match="release:1"):
        bench.create_job(bench.workload(), say("x"), slot="release:2")


def test_a_running_job_is_removed(bench):
    """Its processes go first."""
    source = f"import os, time\nopen({str(bench.runs)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(60)"
    job = bench.create_job(bench.workload(), python(source))
    bench.act(Verb.START_JOB, "job", expects=job.uid)
    bench.until(lambda: bool(bench.started()))
    bench.act(Verb.REMOVE_JOB, "job", expects=job.uid)
    assert bench.driver.observe().jobs == {} and not alive(bench.started()[0])


class TestBuilds:
    WRITE = python("import os; open('made', 'w').write(os.getcwd()); os.remove('hello.txt')")

    def build(self, bench, *commands, **spec):
        return run(bench, *commands, kind="build", artifact="build-1", slot="build:build-1", **spec)

    def test_a_build_leaves_an_artifact(self, bench):
        """Read-only, and where it was made: what it installed may name its own place. Its source is untouched."""
        assert self.build(bench, self.WRITE).state is JobState.SUCCEEDED
        place = bench.root / "artifacts" / "build-1"
        assert (place / "made").read_text() == str(place.resolve())
        assert [path.name for path in place.iterdir()] == ["made"]
        assert (place / "made").stat().st_mode & 0o777 == 0o444 and place.stat().st_mode & 0o777 == 0o555
        assert (bench.root / "artifacts" / bench.tree.id / "hello.txt").exists()
        assert bench.driver.observe().artifacts == {bench.tree.id, "build-1"}

    def test_a_build_that_fails_leaves_its_log(self, bench):
        """And no artifact."""
        job = self.build(bench, self.WRITE, python("print('cannot'); raise SystemExit(2)"))
        assert (job.state, job.exit_code) == (JobState.FAILED, 2)
        assert list(bench.driver.logs("job", tail=1)) == ["cannot"]
        assert os.listdir(bench.root / "artifacts") == [bench.tree.id]

    def test_a_build_that_was_interrupted(self, bench):
        """It is lost; what it had made goes with its record, and the next one begins afresh."""
        source = f"import time\nopen('half', 'w')\nopen({str(bench.runs)!r}, 'a').write('1\\n')\ntime.sleep(60)"
        spec = {"kind": "build", "artifact": "build-1", "slot": "build:build-1"}
        job = bench.create_job(bench.workload(), python(source), **spec)
        bench.act(Verb.START_JOB, "job", expects=job.uid)
        bench.until(lambda: bench.started() == [1])
        kill(bench.run_of(bench.root / "jobs" / "job").pid)
        bench.until(lambda: bench.driver.observe().jobs["job"].state is JobState.LOST)
        bench.act(Verb.REMOVE_JOB, "job", expects=job.uid)
        assert os.listdir(bench.root / "artifacts") == [bench.tree.id]
        assert self.build(bench, self.WRITE).state is JobState.SUCCEEDED

    def test_a_build_sees_no_variables(self, bench):
        """Its result is shared by all that have the same tree and commands."""
        source = "import os; print(*sorted(os.environ))"
        workload = bench.workload(env={"TOKEN": SecretRef("file", "token")}, ports=HTTP)
        self.build(bench, python(source), workload=workload)
        assert list(bench.driver.logs("job", tail=1)) == ["HOME LANG PATH TMPDIR"]
        assert bench.secrets.asked == []

    def test_what_a_build_installs_is_found_first(self, bench):
        """A program of its own environment comes before the system's."""
        source = "import os; os.makedirs('.venv/bin'); f = os.open('.venv/bin/true', os.O_CREAT | os.O_WRONLY, 0o755);"
        self.build(bench, python(f"{source} os.write(f, b'#!/bin/sh\\necho mine\\nsleep 60\\n')"))
        workload = bench.workload(command=("true",))
        artifact = replace(workload.template.artifact, name="build-1")
        bench.create(replace(workload, template=replace(workload.template, artifact=artifact)))
        bench.until(lambda: list(bench.driver.logs("web-0", tail=1)) == ["mine"])

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may change users")
    def test_a_build_runs_as_its_user(self, bench):
        """And what it made is taken back."""
        source = "import os; open('made', 'w').write(str(os.geteuid()))"
        self.build(bench, anybodys_python(source), workload=bench.workload(user="nobody"))
        made = bench.root / "artifacts" / "build-1" / "made"
        assert (made.read_text(), made.stat().st_uid) == ("65534", 0)

    def test_links_in_a_build_lead_nobody_astray(self, bench, place):
        """What they lead to keeps its mode and its owner."""
        (place / "outside").touch(mode=0o644)
        self.build(bench, python(f"import os; os.symlink({str(place / 'outside')!r}, 'out')"))
        assert (bench.root / "artifacts" / "build-1" / "out").is_symlink()
        assert (place / "outside").stat().st_mode & 0o777 == 0o644

    def test_a_removed_build_is_gone(self, bench):
        """The name and what it named."""
        self.build(bench, self.WRITE)
        bench.act(Verb.REMOVE_ARTIFACT, "build-1")
        assert os.listdir(bench.root / "artifacts") == [bench.tree.id]


def test_a_job_that_ended_gives_its_ports_back(bench):
    """Receipts stay for good; a small range of ports must not run out because of them."""
    driver = bench.another(port_range=(27000, 27002))
    workload = bench.workload(ports=HTTP)
    bench.act(Verb.EXPORT_TREE, bench.tree.id, bench.tree)
    for number in range(5):
        spec = JobSpec(workload=workload, commands=(say("done"),), kind="release", slot=f"slot-{number}", timeout=60.0)
        bench.act(Verb.CREATE_JOB, f"job-{number}", spec, driver=driver)
        bench.act(Verb.START_JOB, f"job-{number}", expects=driver.observe().jobs[f"job-{number}"].uid, driver=driver)
        bench.until(lambda name=f"job-{number}": driver.observe().jobs[name].state is JobState.SUCCEEDED)


def test_a_job_that_waits_keeps_its_ports(bench):
    """It was told its number when it was made."""
    workload = bench.workload(ports=HTTP)
    bench.create_job(workload, say("later"))
    (waiting,) = json.loads((bench.root / "jobs" / "job" / "record.json").read_text())["ports"].values()
    assert bench.create(workload).ports["http"] != waiting
