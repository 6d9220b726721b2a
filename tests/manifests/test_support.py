"""What this version does, and what it only reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifests.decode import decode_file
from reconciler.manifests.kinds import KINDS, features
from reconciler.manifests.support import unsupported

GOOD = Path(__file__).parent / "good"
HERE = {"Approval", "Certificate", "Domain", "Environment", "Project", "Resource", "Server", "Volume"}


def waiting(name: str) -> dict[str, list[str]]:
    """What of the documents of a file waits for its feature, by identity."""
    documents = [document.document("root") for document in decode_file(name, (GOOD / name).read_bytes()).documents]
    return {
        str(document.key): [
            ".".join(map(str, fault.location)) for fault in unsupported(document.key.kind, document.spec)
        ]
        for document in documents
    }


def test_everything_of_the_embedded_default_is_here():
    """A document that uses every field of this version is supported whole."""
    assert not any(waiting("core.yaml").values())


def test_kinds_that_wait_are_reported_as_such():
    """A kind whose feature has not landed is reported at its kind, whatever is in it."""
    assert {info.name for info in KINDS.values() if info.supported} == HERE
    assert all(found == ["kind"] for key, found in waiting("later.yaml").items() if key.split("/")[0] not in HERE)


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ("Project/shop", []),
        (
            "Server/vps1",
            [
                "connection.kind",
                "engine",
                "allow.dockerSocket",
                "allow.capabilities",
            ],
        ),
        (
            "Resource/shop/web",
            [
                "source.kind",
                "replicas",
                "variables.DJANGO_SECRET_KEY.secret",
                "files",
                "bindings",
                "requests",
                "deploy.requires",
            ],
        ),
        ("Resource/shop/chart", ["source.kind"]),
        ("Volume/shop/data", ["kind", "size", "storageClass"]),
    ],
)
def test_fields_forms_and_values_that_wait_are_located(key, places):
    """Fields, union members, short forms and single values are each reported where they were written."""
    assert waiting("later.yaml")[key] == [f"spec.{place}" for place in places]


def test_environments_of_a_project_are_asked_about_themselves():
    """What waits in the short form of an Environment is reported for the Environment, once."""
    document = decode_file("a", (GOOD / "later.yaml").read_bytes()).documents[0]
    environment = document.spec.environments["production"]
    assert [fault.location[1:] for fault in unsupported("Environment", environment)] == [
        ("target", "cluster"),
        ("namespace",),
        ("secretFiles",),
    ]


def test_one_switch_lands_a_feature(monkeypatch):
    """With the edge taken back, domains and the proxies of servers wait again, and nothing else does."""
    before = waiting("later.yaml")
    monkeypatch.setattr(features, "LANDED", features.LANDED - {"edge"})
    found = waiting("later.yaml")
    assert before["Domain/shop/shop-api"] == [] != found["Domain/shop/shop-api"]
    assert set(found["Resource/shop/web"]) - set(before["Resource/shop/web"]) == {"spec.domains"}
    assert found["Server/vps1"] == [
        "spec.connection.kind",
        "spec.engine",
        "spec.edgeProxy.kind",
        "spec.edgeProxy.listen",
        "spec.edgeProxy.acme",
        "spec.allow.dockerSocket",
        "spec.allow.capabilities",
    ]


def test_nothing_set_is_nothing_reported():
    """A field that is absent, or null, waits for nothing."""
    model = KINDS["Resource"].model
    assert unsupported("Resource", model.model_validate({"source": {"kind": "external"}, "domains": None})) == []
