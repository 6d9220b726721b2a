"""Paths that manifests write."""

from __future__ import annotations

import pytest

from reconciler.manifests.paths import inside


@pytest.mark.parametrize(
    ("manifest", "written", "found"),
    [
        ("apps/web.yaml", "src", "apps/src"),
        ("apps/web.yaml", ".", "apps"),
        ("web.yaml", ".", ""),
        ("apps/web.yaml", "/src", "src"),
        ("apps/web.yaml", "/", ""),
        ("apps/web.yaml", "../src", "src"),
        ("apps/web.yaml", "../../src", None),
        ("apps/web.yaml", "/../src", None),
        ("apps/web.yaml", "//src", "src"),
        ("apps/web.yaml", "a/../../../x", None),
        ("apps/web.yaml", "a\\b", None),
        ("apps/web.yaml", "a\0b", None),
    ],
)
def test_stay_inside_the_source(manifest, written, found):
    """Relative to the manifest, or to the root with a slash; never outside."""
    assert inside(manifest, written) == found
