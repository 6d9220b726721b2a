"""Bad manifests as data: each file names its own problems, and nothing around it suffers."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifests.identity import ResourceKey

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
GOOD_NEIGHBOURS = {ResourceKey("Server", "", "here"), ResourceKey("Project", "", "shop")}
EXPECT = "# expect: "


def expected(path: Path) -> list[str]:
    """The problems that a file says it has."""
    lines = path.read_text().splitlines()
    return [line.removeprefix(EXPECT) for line in lines if line.startswith(EXPECT)]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_is_told_where_and_what_is_wrong(shop, path):
    """Every mistake gives its message, at its place, and no other."""
    shop.write("bad.yaml", path.read_bytes())
    assert [str(problem) for problem in shop.catalog().problems] == expected(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_leaves_its_neighbours_alone(shop, path):
    """What is good in other files stays in use, and nothing declared before is forgotten."""
    before = shop.catalog()
    shop.write("bad.yaml", path.read_bytes())
    after = shop.catalog()
    assert after.documents.keys() >= GOOD_NEIGHBOURS
    assert before.documents.keys() <= after.documents.keys() | after.broken.keys()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_never_shows_a_secret(shop, path):
    """A value that could be a secret is in no message."""
    shop.write("bad.yaml", path.read_bytes())
    assert "hunter" not in "\n".join(map(str, shop.catalog().problems))


def test_there_are_many():
    """The collection is as large as it is meant to be, and every file expects something."""
    assert len(BAD) >= 60
    assert all(expected(path) for path in BAD)
