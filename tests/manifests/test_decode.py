"""Bytes of a file to manifests: hostile bytes, several documents, files that are not ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.decode import MAX_BYTES, FileKind, decode_file
from reconciler.manifests.identity import ResourceKey

HEAD = b"apiVersion: reconciler.dev/v1alpha1\n"
PROJECT = HEAD + b"kind: Project\nmetadata: {name: shop}\n"
SHOP = ResourceKey("Project", "", "shop")


def told(data: bytes) -> list[str]:
    """The problems of a file, as a person reads them."""
    return [str(problem) for document in decode_file("a.yaml", data).documents for problem in document.problems]


def keys(data: bytes) -> list[ResourceKey | None]:
    return [document.key for document in decode_file("a.yaml", data).documents]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PROJECT, id="plain"),
        pytest.param(PROJECT.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(b"\xef\xbb\xbf" + PROJECT, id="BOM"),
        pytest.param(b"---\n" + PROJECT + b"...\n", id="markers"),
        pytest.param(b"# a remark\n\n---\n# nothing\n---\n" + PROJECT + b"---\n", id="empty documents"),
        pytest.param(
            b'{"apiVersion": "reconciler.dev/v1alpha1", "kind": "Project", "metadata": {"name": "shop"}}', id="JSON"
        ),
    ],
)
def test_reads_what_editors_write(data):
    """Line ends, byte order marks, empty documents and JSON make no difference."""
    assert (keys(data), told(data)) == ([SHOP], [])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (PROJECT + b"spec: {description: \xff}\n", "a.yaml:4:21 the byte 0xFF is not UTF-8: save the file as UTF-8"),
        (PROJECT + b"# \x00\n", "a.yaml:4:3 the character U+0000 cannot be in a manifest: remove it"),
        (PROJECT + b"# \x1b[31m\n", "a.yaml:4:3 the character U+001B cannot be in a manifest: remove it"),
        (PROJECT + b"#" * MAX_BYTES, "a.yaml:1:1 larger than 1024 KiB: split the file"),
        (
            HEAD + b"a: " + b"[" * 100_000,
            "a.yaml:2:67 a[0][0][0][0][0][0][0]: nested deeper than 64 levels",
        ),
        (
            HEAD + b"a:\n " + b"- " * 100_000,
            "a.yaml:3:128 a[0][0][0][0][0][0][0]: nested deeper than 64 levels",
        ),
        (HEAD + b"a: " + b'{"a":' * 100_000, "a.yaml:2:319 a.a.a.a.a.a.a.a: nested deeper than 64 levels"),
        (
            HEAD + b"\n".join(b"a%d: &a%d [*a%d]" % (n, n, n - 1) for n in range(1, 99)),
            "a.yaml:2:10 a1: the alias *a0 has no anchor before it",
        ),
    ],
    ids=["not UTF-8", "NUL", "escape", "large", "flow", "block", "mappings", "undefined alias"],
)
def test_refuses_hostile_bytes(data, problem):
    """Bytes that are no manifest are told apart, and never end the process."""
    assert told(data) == [problem]


@pytest.mark.parametrize(
    "poison", [b"# \xff\n", b"# \x00\n", b"a: [\n", b"a: 'x\n", b"\ta: 1\n", b"a: *b\n", b"a: " + b"[" * 99]
)
def test_poison_costs_one_document(poison):
    """Bytes that end the reading of one document leave those before and after it in use, and its identity known."""
    middle = HEAD + b"kind: Project\nmetadata: {name: middle}\n" + poison
    found = decode_file(
        "a.yaml", PROJECT + b"---\n" + middle + b"\n---\n" + PROJECT.replace(b"shop", b"other")
    ).documents
    assert [str(document.key) for document in found] == ["Project/shop", "Project/middle", "Project/other"]
    assert [bool(document.problems) for document in found] == [False, True, False]


@pytest.mark.parametrize(
    "filler", [b"#" * MAX_BYTES, b"spec: {x: [" + b"1," * 30_000 + b"]}"], ids=["too large", "too many values"]
)
def test_every_identity_of_an_unread_file_is_known(filler):
    """A file that is not read to its end still says who its documents are."""
    data = (
        PROJECT
        + filler
        + b"\n---\n"
        + PROJECT.replace(b"shop", b"other")
        + b"---\n"
        + PROJECT.replace(b"shop", b"last")
    )
    found = decode_file("a.yaml", data).documents
    assert [(str(document.key), document.lost) for document in found] == [
        ("Project/shop", True),
        ("Project/other", True),
        ("Project/last", True),
    ]


def test_counts_the_depth_of_aliases():
    """A chain of aliases, each one level around the one before, is as deep as it expands to."""
    chain = b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 200))
    assert told(HEAD + chain) == ["a.yaml:65:12 a63: nested deeper than 64 levels, aliases expanded"]


def test_counts_what_aliases_expand_to():
    """A billion laughs stop long before the billionth, in the line that tips it over."""
    bomb = b"a0: &a0 [%s]\n" % b", ".join([b"ha"] * 10)
    bomb += b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 9))
    (problem,) = told(HEAD + bomb)
    assert problem.startswith("a.yaml:6:")
    assert problem.endswith("more than 20000 values in one file, aliases expanded: split it")


def test_lets_honest_aliases_through():
    """An alias within the bounds is what it stands for."""
    body = b"spec: {variables: {A: &text hello, B: *text}}\n"
    (document,) = decode_file("a.yaml", PROJECT + body).documents
    assert document.spec.variables == {"A": "hello", "B": "hello"}


def test_isolates_a_wrong_document():
    """A mistake in one document leaves those before and after it in use."""
    wrong = HEAD + b"kind: Server\nmetadata: {name: here}\nspec: {engine: steam}\n"
    good = HEAD + b"kind: Project\nmetadata: {name: other}\n"
    found = decode_file("a.yaml", PROJECT + b"---\n" + wrong + b"---\n" + good).documents
    assert [(document.key, bool(document.problems)) for document in found] == [
        (SHOP, False),
        (ResourceKey("Server", "", "here"), True),
        (ResourceKey("Project", "", "other"), False),
    ]


def test_isolates_broken_syntax_and_reads_its_identity():
    """Syntax that is broken in the middle costs one document, whose identity is still read from its text."""
    broken = HEAD + b"kind: Resource\nmetadata:\n  name: web\n  project: shop\nspec: [\n"
    good = HEAD + b"kind: Project\nmetadata: {name: other}\n"
    data = PROJECT + b"---\n" + broken + b"---\n" + good
    assert keys(data) == [SHOP, ResourceKey("Resource", "shop", "web"), ResourceKey("Project", "", "other")]
    assert [document.lost for document in decode_file("a.yaml", data).documents] == [False, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "kind: Resource\nmetadata: {name: web, project: shop}\nspec: [",
        'metadata: {"name": "web", "project": "shop"}\n"kind": Resource\nspec: [',
        "kind: 'Resource'\nmetadata:\n\n  project: shop # ours\n  name: web\nspec: [",
        "kind: Resource\r\nmetadata:\r\n  name: web\r\n  project: shop\r\nspec: [",
    ],
)
def test_reads_identities_from_text(text):
    """However it was written down, an identity is found in a document that does not parse."""
    assert keys(HEAD + text.encode()) == [ResourceKey("Resource", "shop", "web")]


@pytest.mark.parametrize(
    "text",
    [
        "kind: Resource\nspec: {metadata: {name: web, project: shop}}\nx: [",
        "kind: Resource\nmetadata: {name: Web!, project: shop}\nspec: [",
        "kind: Resource\nmetadata: {name: web}\nspec: [",
        "kind: Gadget\nmetadata: {name: web, project: shop}\nspec: [",
    ],
)
def test_guesses_no_identity(text):
    """Where the text does not tell, nothing is made up."""
    assert keys(HEAD + text.encode()) == [None]


def test_positions_are_of_the_file():
    """Lines count from the top of the file, columns from 1, whatever document they are in."""
    second = (
        HEAD + b"kind: Volume\nmetadata:\n  name: media\n  project: shop\nspec:\n  environments:\n    - production\n"
    )
    document = decode_file("a.yaml", PROJECT + b"---\n" + second).documents[1].document("root")
    assert str(document.place("metadata", "name")) == "a.yaml:8:3"
    assert str(document.place("spec", "environments", 0)) == "a.yaml:12:7"
    assert str(document.place("spec", "environments", 0, "deeper")) == "a.yaml:12:7"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"services: {web: {image: x}}\n", FileKind.OTHER),
        (b"", FileKind.OTHER),
        (b"# apiVersion: reconciler.dev/v1alpha1\nservices: {}\n", FileKind.OTHER),
        (b"script: |\n  apiVersion: reconciler.dev/v1alpha1\n", FileKind.OTHER),
        (b"script: |\n  apiVersion: reconciler.dev/v1alpha1\nb: [\n", FileKind.OTHER),
        (b"{{ if }}\nkind: Deployment\n", FileKind.OTHER),
        (b"key: ENC[x]\nsops:\n  mac: y\n", FileKind.SOPS),
        (b'{"key": "ENC[x]",\n\t"sops": {"mac": "y"}}\n', FileKind.SOPS),
        (b"key=ENC[x]\nsops_mac=y\n", FileKind.SOPS),
        (b"\xff\xfe\x00", FileKind.UNREADABLE),
        (PROJECT.decode().encode("utf-16"), FileKind.UNREADABLE),
        (b"  apiVersion: reconciler.dev/v1alpha1\n  kind: Project\n", FileKind.MANIFESTS),
        (b"apiVersion: reconciler.dev/v9\nkind: Project\n", FileKind.MANIFESTS),
        (b"apiVersion: reconciler.dev/v1alpha1\nkind: [\n", FileKind.MANIFESTS),
    ],
)
def test_tells_files_apart(data, kind):
    """Only a document's own apiVersion makes a file ours; everything else is given a reason."""
    found = decode_file("a.yaml", data)
    assert found.kind is kind
    assert bool(found.reason) == (kind is not FileKind.MANIFESTS)


def test_shows_no_secret_in_any_place():
    """Wrong values below variables, references, commands and templates are told of without being told."""
    spec = """spec:
  source: {kind: local-folder, path: .}
  variables: {A: 31337, B: {secret: 31337}, C: {template: 31337}, D: {value: 31337, exposure: 31337}, E: [31337]}
  command: [31337]
  envFrom: [{secret: 31337}]
  files: {/x: {text: 31337}}
  deploy: {release: {command: [031337]}}
"""
    web = HEAD + b"kind: Resource\nmetadata: {name: web, project: shop}\n" + spec.encode()
    credential = HEAD + b"kind: Credential\nmetadata: {name: git}\nspec: {kind: git, secretRef: 31337}\n"
    problems = told(web + b"---\n" + credential)
    assert len(problems) == 11
    assert "31337" not in "".join(problems)


@given(st.text(max_size=80).filter(lambda text: "---" not in text))
def test_whatever_stands_between_hurts_nobody(text):
    """Any text between two good documents leaves both in use."""
    data = PROJECT + b"---\n" + text.encode("utf-8", "replace") + b"\n---\n" + PROJECT.replace(b"shop", b"other")
    found = decode_file("a.yaml", data).documents
    assert [found[0].problems, found[-1].problems] == [(), ()]
    assert [found[0].key, found[-1].key] == [SHOP, ResourceKey("Project", "", "other")]


@given(st.binary())
def test_never_raises_for_bytes(data):
    """Whatever the bytes, there is an answer."""
    decode_file("a.yaml", data)


@given(st.text(alphabet=st.sampled_from(list("abc:-[]{},&*!|>'\"#%@` \n\t?0123456789.~<"))))
def test_never_raises_for_yaml_like_text(text):
    """Text made of YAML's own characters gives a manifest or a problem at a place."""
    found = decode_file("a.yaml", HEAD + text.encode())
    for document in found.documents:
        assert document.problems
        assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in document.problems)


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "local-folder", "", "30s", "here"])
FIELDS = st.sampled_from(
    ["source", "kind", "path", "ports", "http", "variables", "secret", "from", "health", "deploy", "replicas", "x"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_every_spec_is_usable_or_told_of(spec):
    """A document of any shape has a validated model or at least one problem, never both, never neither."""
    text = json.dumps({"kind": "Resource", "metadata": {"name": "web", "project": "shop"}, "spec": spec})
    (document,) = decode_file("a.yaml", b'{"apiVersion": "reconciler.dev/v1alpha1", ' + text[1:].encode()).documents
    assert (document.spec is None) == bool(document.problems)
