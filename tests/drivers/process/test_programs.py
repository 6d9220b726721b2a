"""What a program finds when it starts: its environment, its place, its user, and nothing of the daemon's."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from reconciler.desired.objects import Composite, Mount, SecretRef, VolumeObject
from reconciler.errors import Conflict, ExistsNotOurs
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import State
from reconciler.plan.actions import InstanceSpec, Verb
from tests.drivers.process.bench import HTTP, UNIT, anybodys_python, python

pytestmark = pytest.mark.real

TELL = """
import json, os, signal, sys, time
seen = {
    'env': dict(os.environ), 'argv': sys.argv[1:], 'cwd': os.getcwd(), 'stdin': os.read(0, 1).decode(),
    'files': [os.path.realpath(f'/proc/self/fd/{fd}') for fd in sorted(map(int, os.listdir('/proc/self/fd')))],
    'blocked': [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    'pipe': open('/proc/self/status').read().split('SigIgn:')[1].split()[0],
    'session': os.getsid(0) == os.getpid(), 'user': os.geteuid(), 'groups': os.getgroups(),
}
for place in ('HOME', 'TMPDIR'):
    open(os.path.join(os.environ[place], 'mine'), 'w').close()
with open(os.environ['TMPDIR'] + '/told.tmp', 'w') as file:
    json.dump(seen, file)
os.rename(os.environ['TMPDIR'] + '/told.tmp', os.environ['TMPDIR'] + '/told')
time.sleep(60)
"""


PRINT = "import os; print(os.environ['TOKEN'], flush=True)\n"


@pytest.fixture
def told(bench):
    """``told(workload)``: what a program says of itself once it runs."""

    def told(workload, **spec):
        bench.create(workload, **spec)
        path = bench.folder() / "tmp" / "told"
        bench.until(path.exists)
        return json.loads(path.read_text())

    return told


def test_the_environment_is_exactly_this(bench, told):
    """Nothing comes from the daemon's own."""
    env = told(bench.workload(source=TELL, ports=HTTP))["env"]
    assert sorted(env) == [
        "HOME", "LANG", "PATH", "PORT", "PORT_HTTP", "RECONCILER_ENVIRONMENT", "RECONCILER_PROJECT",
        "RECONCILER_RELEASE", "RECONCILER_RESOURCE", "RUNS", "TMPDIR",
    ]  # fmt: skip
    assert env["PORT"] == str(bench.seen().ports["http"])


def test_nothing_of_the_daemon_is_inherited(bench, told):
    """No descriptor but the standard ones and the lock, no blocked or ignored signal, no terminal, no group."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        seen = told(bench.workload(source=TELL))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        os.close(reader)
        os.close(writer)
    log = str(bench.folder() / "log")
    assert seen["files"][:4] == ["/dev/null", log, log, str(bench.folder() / "lock")]
    assert not [file for file in seen["files"][4:] if "pipe" in file]
    assert (seen["blocked"], seen["session"], seen["stdin"]) == ([], True, "")


def test_it_starts_in_the_read_only_artifact(bench, told):
    """Or below it; arguments are filled in, and never by a shell."""
    bench.tree = bench.tree_of({"app/main.txt": b""})
    arguments = ("$(PORT)", "$$(PORT)", "$(id); `id` | tee x")
    seen = told(bench.workload(source=TELL, ports=HTTP, working_dir="app", args=arguments), addresses={"http": 24321})
    assert seen["cwd"] == str(bench.root / "artifacts" / bench.tree.id / "app")
    assert seen["argv"] == ["24321", "$(PORT)", "$(id); `id` | tee x"]
    assert not stat.S_IMODE(os.stat(seen["cwd"]).st_mode) & 0o222


def test_two_instances_have_two_ports(bench):
    """Two releases listen side by side."""
    first = bench.create(bench.workload(ports=HTTP), "web-0")
    second = bench.create(bench.workload(ports=HTTP), "web-1")
    assert first.ports["http"] != second.ports["http"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change users")
def test_it_runs_as_its_user(bench, told):
    """With that user's groups, in a home of its own, and with its volumes writable."""
    key = ResourceKey("Volume", "shop", "media", "production")
    bench.act(Verb.CREATE_VOLUME, "media-1", VolumeObject(key, UNIT, "media-1"), key=key)
    mounts = (Mount("/srv", "media-1", env="DATA"),)
    seen = told(bench.workload(command=anybodys_python(TELL), user="nobody", mounts=mounts, env={"RUNS": "/dev/null"}))
    assert seen["user"] == 65534 and 0 not in seen["groups"]
    assert os.stat(seen["env"]["DATA"]).st_uid == 65534
    assert "NotIsolated" not in bench.seen().note
    for secret in ("launch.json", "record.json"):
        assert (bench.folder() / secret).stat().st_mode & 0o777 == 0o600
        assert (bench.folder() / secret).stat().st_uid == 0


def test_without_a_user_it_is_not_isolated(bench):
    """It runs, and a person is told."""
    assert "NotIsolated" in bench.create(bench.workload()).note


def test_a_program_that_is_not_there(watched):
    """It is an exit with its reason, as evidence against its release; the daemon goes on."""
    watched.create(watched.workload(command=("no-such-program",)))
    watched.until(lambda: watched.seen().exits == 1)
    web = watched.seen()
    assert "exit code 127" in web.detail and "no-such-program: command not found" in web.detail


def test_a_user_that_is_not_there(watched):
    """It says what to do on the server."""
    watched.create(watched.workload(user="no-such-user"))
    if os.geteuid() == 0:
        watched.until(lambda: watched.seen().exits == 1)
        assert "create it on the server" in watched.seen().detail


def test_secrets_are_kept_where_they_are_needed(bench, told):
    """In the program and in one file of the owner's: on no command line, in no log that is read."""
    bench.secrets.values["token"] = b"canary-4711"
    env = {"TOKEN": SecretRef("file", "token"), "URL": Composite("x://:$(TOKEN)@y")}
    seen = told(bench.workload(source=PRINT + TELL, env=env))
    web = bench.seen()
    assert (seen["env"]["TOKEN"], seen["env"]["URL"]) == ("canary-4711", "x://:canary-4711@y")
    assert b"canary" not in Path(f"/proc/{web.pid}/cmdline").read_bytes()
    assert list(bench.driver.logs("web-0", tail=5)) == ["****"]
    assert "canary" not in repr(web)
    holders = [path.name for path in bench.folder().iterdir() if path.is_file() and b"canary" in path.read_bytes()]
    assert sorted(holders) == ["launch.json", "log"]


def test_a_restart_resolves_no_secret(bench):
    """What an instance is made of is settled when it is made."""
    bench.secrets.values["token"] = b"first"
    web = bench.create(bench.workload(env={"TOKEN": SecretRef("file", "token")}))
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    bench.act(Verb.START, "web-0", expects=web.uid)
    assert bench.secrets.asked == ["token"]


def test_another_generation_under_the_same_name(bench):
    """It is not what was asked for."""
    bench.create(bench.workload())
    with pytest.raises(Conflict, match="another generation"):
        bench.create(bench.workload(release="b" * 64))


@pytest.mark.parametrize("instance_id", [None, "another"])
def test_what_is_not_ours_is_left_alone(bench, instance_id):
    """A folder without our mark takes the name, and is neither run, nor changed, nor removed."""
    if instance_id is None:
        (bench.folder() / "precious").mkdir(parents=True)
    else:
        bench.act(Verb.EXPORT_TREE, bench.tree.id, bench.tree)
        bench.act(
            Verb.CREATE, "web-0", InstanceSpec(bench.workload(), 0), driver=bench.another(instance_id=instance_id)
        )
    before = sorted(path.name for path in bench.folder().iterdir())
    bench.driver.watch(bench.count_change)
    with pytest.raises(ExistsNotOurs):
        bench.create(bench.workload())
    with pytest.raises(ExistsNotOurs):
        bench.act(Verb.REMOVE, "web-0", expects="")
    seen = bench.driver.observe()
    assert not seen.instances["web-0"].ours and seen.knows("instances")
    assert sorted(path.name for path in bench.folder().iterdir()) == before


def test_a_stopped_one_gets_what_it_had(bench):
    """Its ports and its environment stay its own."""
    web = bench.create(bench.workload(ports=HTTP))
    before = (bench.folder() / "launch.json").read_bytes()
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    bench.create(bench.workload(ports=HTTP), "web-1")
    bench.act(Verb.START, "web-0", expects=web.uid)
    again = bench.seen()
    assert (again.state, again.ports) == (State.RUNNING, web.ports)
    assert (bench.folder() / "launch.json").read_bytes() == before


def test_a_second_shim_gives_way(bench):
    """However often it is started, one runs."""
    web = bench.create(bench.workload(command=python("import time; time.sleep(60)")))
    for _ in range(3):
        bench.act(Verb.START, "web-0", expects=web.uid, driver=bench.another())
    assert bench.seen().pid == web.pid
