"""Damaged files, full disks, killed writers: right, or a typed error."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress

import pytest

from reconciler.errors import LedgerDamaged, TransientError
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.status.records import Deployment, Event
from reconciler.store.ledger import Ledger


def content(path):
    """Everything that a ledger holds, or None where it says that it is damaged."""
    with suppress(LedgerDamaged), closing(Ledger.open(path)) as ledger:
        return ledger.load(), ledger.history.events(limit=10_000), ledger.history.deployments()
    return None


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a sound ledger of many pages."""
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    ledger = Ledger.open(path)
    for number in range(6):
        unit = UnitKey(server("here"), "shop", f"e{number}")
        keys = [ResourceKey("Resource", "shop", f"r{index}", unit.environment) for index in range(30)]
        ledger.commit_plan(unit, inventory={key: Entry(key, unit, "root") for key in keys}, progress={})
        ledger.append([Event(float(index), "deployment-started", "x" * 50, key=key) for index, key in enumerate(keys)])
    ledger.close()
    return path.read_bytes(), content(path)


@pytest.mark.parametrize("seed", range(100))
def test_a_flipped_byte_is_found_or_does_not_matter(sound, path, seed):
    """Whatever byte is damaged, the content is what was written, or nothing is believed."""
    data, expected = sound
    chance = random.Random(seed)
    at = chance.randrange(100) if seed < 20 else chance.randrange(len(data))
    damaged = bytearray(data)
    damaged[at] ^= 1 << chance.randrange(8)
    path.parent.mkdir()
    path.write_bytes(damaged)
    assert content(path) in (None, expected)


@pytest.mark.parametrize("part", range(20))
def test_a_cut_file_is_found(sound, path, part):
    """A file that ends early is damage, at every length from nothing on."""
    data, _ = sound
    path.parent.mkdir()
    path.write_bytes(data[: len(data) * part // 20])
    assert content(path) is None
    assert path.stat().st_size == len(data) * part // 20


def test_a_lost_page_is_found_before_anybody_reads_it(sound, path):
    """Also a page that only a search would come across."""
    path.parent.mkdir()
    path.write_bytes(sound[0])
    with closing(sqlite3.connect(path)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events_by_key'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"\0" * size)
    with pytest.raises(LedgerDamaged, match=r"ledger\.db: the ledger is damaged"):
        Ledger.open(path)


FULL = """
import resource, signal, sys
from pathlib import Path
from reconciler.errors import TransientError
from reconciler.status.records import Event
from reconciler.store.ledger import Ledger

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = Ledger.open(Path(sys.argv[1]))
ledger.append([Event(0.0, "kept", "before")])
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
written = 0
try:
    while True:
        ledger.append([Event(1.0, "batch", "x" * 2000) for _ in range(10)])
        written += 1
except TransientError as error:
    print("refused", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.append([Event(2.0, "kept", "after")])
print(written)
ledger.close()
"""


@pytest.mark.real
def test_a_full_disk_loses_nothing_and_halves_nothing(path):
    """A write that finds no room is refused as passing trouble; what was written before stays, and writing goes on."""
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True, timeout=60)
    said, written = done.stdout.strip().splitlines()
    assert "the disk" in said
    ledger = Ledger.open(path)
    events = ledger.history.events(limit=10_000)
    ledger.close()
    assert [event.message for event in events if event.type == "kept"] == ["after", "before"]
    assert len(events) == 2 + 10 * int(written)
    assert int(written) > 0


KILLED = """
import sys
from pathlib import Path
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.plan.actions import Progress
from reconciler.status.records import Event
from reconciler.store.ledger import Ledger

unit = UnitKey(server("here"), "shop", "production")
ledger = Ledger.open(Path(sys.argv[1]))
number = len(ledger.history.events(limit=1_000_000))
while True:
    number += 1
    keys = [ResourceKey("Resource", "shop", f"r{index}", "production") for index in range(10)]
    ledger.commit_plan(
        unit,
        inventory={key: Entry(key, unit, str(number)) for key in keys},
        progress={key: Progress(str(number), 0.0) for key in keys},
    )
    ledger.append([Event(float(number), "planned", str(number))])
    print(number, flush=True)
"""


@pytest.mark.real
def test_a_killed_writer_loses_nothing_that_it_was_told_is_written(path):
    """After kill -9 at any moment, what was confirmed is there, and a plan is there whole."""
    for turn in range(8):
        writer = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(3 + turn)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.communicate(timeout=30)[0].split()]
        ledger = Ledger.open(path)
        memory = ledger.load()
        events = ledger.history.events(limit=1)
        ledger.close()
        (inventory,) = memory.inventory.values()
        (progress,) = memory.progress.values()
        generations = {entry.source for entry in inventory.values()} | {seen.generation for seen in progress.values()}
        assert len(generations) == 1
        assert int(generations.pop()) >= max(told)
        assert events[0].id >= max(told)


@pytest.mark.real
def test_a_ledger_that_vanishes_meanwhile_is_passing_trouble_for_readers(ledger, shop, path):
    """Without the file a new reader is told so; nothing is made up."""
    shop.fill(ledger)
    for place in path.parent.iterdir():
        place.unlink()
    with pytest.raises(TransientError, match="cannot be opened"):
        ledger.history.events()


def test_what_is_read_has_its_types(sound):
    """The content that damage is compared with is made of the core's values."""
    memory, events, deployments = sound[1]
    assert all(isinstance(entry, Entry) for unit in memory.inventory.values() for entry in unit.values())
    assert isinstance(memory.inventory, Mapping)
    assert len(events) == 180
    assert all(isinstance(event, Event) for event in events)
    assert all(isinstance(deployment, Deployment) for deployment in deployments)
