"""Digests that must never change by themselves: they name what runs, and a new program must find it again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.fingerprint import digest, release_of, stamp_of
from reconciler.desired.names import address_name, instance_name, release_job_name, volume_name
from reconciler.desired.objects import (
    Artifact,
    Composite,
    Link,
    Mount,
    Plain,
    Port,
    Probe,
    SecretRef,
    Template,
    Workload,
)
from reconciler.manifests.identity import ResourceKey, UnitKey, server

API = ResourceKey("Resource", "shop", "api", "production")
FULL = Template(
    Artifact("tree", "t" * 40, "build-1", (("make", "all"),)),
    command=("serve",),
    args=("--fast",),
    env=(
        ("A", Plain("a")),
        ("B", SecretRef("file", "/b")),
        ("C", Link(API, "http", "address")),
        ("D", Composite("$(A)")),
    ),
    mounts=(Mount("/data", "shop-production-data-1", "ro", "DATA"),),
    ports=(Port("http", 0, main=True), Port("admin", 9000, host_port=9000, bind="0.0.0.0")),
    probe=Probe("http", path="/healthz", port="http", statuses=(200,), text="ok"),
    working_dir="app",
    user="www",
)
KEY = ResourceKey("Resource", "shop", "web", "production")
WORKLOAD = Workload(KEY, UnitKey(server("here"), "shop", "production"), FULL, release_of(FULL), "0123456789ab")


def test_golden_releases():
    """A version of this program alone replaces nothing."""
    assert release_of(Template(Artifact("tree", "t" * 40, "t" * 40))) == (
        "bcd235e647f8095d92f14b0b02cd39cdf3672237d064fb0efb5716568ab7cf49"
    )
    assert release_of(FULL) == "c45fedc5039c0f8dbd88c849993cd17523339bf6a6934ad84646f087004cfcba"


def test_golden_stamps():
    """Nothing said is no stamp."""
    assert stamp_of(restart_token="", redeploy_token="", secret_digests={}) == ""
    assert stamp_of(restart_token="a", redeploy_token="b", secret_digests={"K": "k1:00"}) == "3c4e95117066"


def test_golden_names():
    """Words for people, digits for identity."""
    assert instance_name(WORKLOAD, 2) == "shop-production-web-18c9c38777-01234567-2"
    assert volume_name(ResourceKey("Volume", "shop", "data", "production")) == "shop-production-data-f87759"
    assert address_name(KEY, "http", 0) == "shop-production-web-http-221bdd-0"
    assert release_job_name(replace(WORKLOAD, reconcile_token="x")) == "shop-production-web-release-18c9c38777-ba2df4"


def test_a_new_optional_field_changes_nothing():
    """What has its default is not hashed."""

    @dataclass(frozen=True)
    class Old:
        a: int = 1

    @dataclass(frozen=True)
    class New:
        a: int = 1
        b: str = ""

    assert digest(Old(2)) == digest(New(2))
    assert digest(New(2)) != digest(New(2, "x"))


def test_members_of_a_union_never_look_alike():
    """A text that reads like a reference is not one."""
    templates = {
        release_of(replace(FULL, env=(("A", v),)))
        for v in (Plain("file:/b"), SecretRef("file", "/b"), Composite("file:/b"))
    }
    assert len(templates) == 3


def test_names_of_different_things_differ():
    """``a-b``/``c`` and ``a``/``b-c`` read the same, and are not."""
    one = replace(WORKLOAD, key=ResourceKey("Resource", "a-b", "c", "e"))
    other = replace(WORKLOAD, key=ResourceKey("Resource", "a", "c", "b-e"))
    assert instance_name(one, 0) != instance_name(other, 0)


@given(st.from_regex(r"\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z"), st.integers(0, 999))
def test_names_are_labels_and_keep_their_digits(word, ordinal):
    """At most 63 letters; too long a name loses words, never digits."""
    long = replace(WORKLOAD, key=ResourceKey("Resource", word, word, word))
    name = instance_name(long, ordinal)
    assert len(name) <= 63
    assert name.endswith(f"-01234567-{ordinal}")
    assert name[0].isalpha() and name[-1].isdigit()
