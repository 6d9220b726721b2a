"""The settings file: defaults, mistakes with their places, and that every setting is described."""

from __future__ import annotations

import textwrap

import pytest

from reconciler.errors import InvalidInput
from reconciler.settings import described, load, parse

SMALL = """
instanceId: here
source: {directory: {path: /srv/manifests}}
"""


def mistakes(text):
    with pytest.raises(InvalidInput) as caught:
        parse("config.yaml", textwrap.dedent(text))
    return str(caught.value).splitlines()


def test_two_lines_are_enough():
    """Everything else has a default that holds."""
    settings = parse("config.yaml", SMALL)
    assert (settings.status, settings.interval, settings.state_dir) == (
        ("127.0.0.1", 7780),
        60.0,
        "/var/lib/reconciler",
    )
    assert settings.source.directory.path == "/srv/manifests"


def test_a_full_file_is_read():
    """Each field where it is documented."""
    settings = parse(
        "config.yaml",
        textwrap.dedent("""
        instanceId: shop-1
        stateDir: /srv/state
        source: {git: {repository: /srv/infra.git, branch: live, path: servers}, interval: 5m}
        listen: {status: "[::1]:0", tokenFile: /etc/reconciler/token}
        secrets:
          fileRoots: [/etc/reconciler/secrets]
          envPrefix: SHOP_
          digestKeys: [{id: k1, file: /etc/reconciler/digest.key}]
        logs: {level: debug, format: json}
        limits: {workers: 2, actionsPerTarget: 3}
        variables: {REGION: eu}
        """),
    )
    assert settings.source.git.branch == "live"
    assert (settings.interval, settings.status) == (300.0, ("::1", 0))
    assert settings.secrets.digest_keys[0].id == "k1"
    assert settings.variables == {"REGION": "eu"}


def test_all_mistakes_are_told_at_once_with_their_places():
    """Nobody mends one line to learn of the next."""
    found = mistakes("""
        instanceId: Not A Label
        source: {directory: {path: relative}, interval: soon}
        limits:
          workers: 0
          wrokers: 4
    """)
    assert [line.split(":")[1] for line in found] == ["2", "3", "3", "5", "6"]
    assert any("wrokers" in line and "did you mean workers?" in line for line in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("instanceId: a\nsource: {}", "exactly one of git and directory"),
        ("instanceId: a\nsource: {git: {repository: /a}, directory: {path: /b}}", "exactly one of git and directory"),
        (SMALL + "listen: {status: '0.0.0.0:7780'}", "tokenFile"),
        (SMALL + "listen: {status: 'localhost:7780'}", "127.0.0.1:7780"),
        (SMALL + "listen: {status: '127.0.0.1:99999'}", "port"),
        (SMALL + "variables: {VERSION: 3.10}", "put it in quotes"),
        (SMALL + "instanceId: twice", "duplicate key"),
        ("instanceId: a", "source: is required"),
        ("", "holds no settings"),
        ("instanceId: [", "config.yaml:1:"),
        (SMALL + "---\ninstanceId: b", "several documents"),
    ],
)
def test_a_mistake_says_what_is_wanted(text, said):
    """In one line, with the place where there is one."""
    assert said in "\n".join(mistakes(text))


def test_a_token_lets_it_listen_elsewhere():
    """Off loopback every request must bear it."""
    assert parse("c", SMALL + "listen: {status: '0.0.0.0:80', tokenFile: /t}").status == ("0.0.0.0", 80)


def test_a_missing_file_names_itself_and_the_way_out(tmp_path):
    """The first thing that goes wrong on a new machine."""
    with pytest.raises(InvalidInput, match=r"no such file.*--config"):
        load(tmp_path / "config.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """With its name."""
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match=r"config\.yaml: not UTF-8"):
        load(tmp_path / "config.yaml")


def test_every_setting_is_described():
    """The documentation is made from this list."""
    found = {setting.name: setting for setting in described()}
    assert [name for name, setting in found.items() if not setting.description] == []
    assert {"source.git.branch", "secrets.digestKeys.id", "limits.actionsPerTarget"} <= found.keys()
    assert (found["instanceId"].default, found["logs.level"].default, found["limits.workers"].default) == (
        "",
        '"info"',
        "4",
    )
