"""Files of several sources held against each other: who declares what, and what counts while it cannot be read."""

from __future__ import annotations

import pytest

from reconciler.manifests.catalog import build, candidates
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.revision import File, Revision

HEAD = "apiVersion: reconciler.dev/v1alpha1\n"
API = ResourceKey("Resource", "shop", "api")
WEB = ResourceKey("Resource", "shop", "web")
PRODUCTION = ResourceKey("Environment", "shop", "production")


def volume(name: str, *, project: str = "shop") -> str:
    return f"{HEAD}kind: Volume\nmetadata: {{name: {name}, project: {project}}}\n"


def media(name: str = "media") -> ResourceKey:
    return ResourceKey("Volume", "shop", name)


class TestDocuments:
    """What can be used."""

    def test_holds_every_good_document(self, shop):
        """A world in which everything is right has no problems, and every identity."""
        catalog = shop.catalog()
        assert catalog.problems == ()
        assert [str(key) for key in catalog.documents] == [
            "Environment/shop/production",
            "Project/shop",
            "Resource/shop/api",
            "Server/here",
        ]

    def test_expands_the_environments_of_a_project(self, shop):
        """The short form of an Environment is a document with the places where it was written."""
        document = shop.catalog().documents[PRODUCTION]
        assert document.raw == {"target": {"server": "here"}}
        assert document.spec.target.server == "here"
        assert str(document.place("spec", "target", "server")) == "base.yaml:6:27"
        assert str(document.place("metadata", "name")) == "base.yaml:6:5"

    def test_is_the_same_whatever_the_order(self, shop):
        """Sources and files may be given in any order."""
        shop.write("media.yaml", volume("media"))
        shop.write("again.yaml", volume("media"), source="other")
        forth = shop.catalog()
        shop.sources = {name: dict(reversed(files.items())) for name, files in reversed(shop.sources.items())}
        shop.catalogs.clear()
        back = shop.catalog()
        assert (forth.documents, forth.problems, forth.broken) == (back.documents, back.problems, back.broken)
        assert list(forth.documents) == list(back.documents)

    def test_takes_names_from_any_file_and_source(self, shop):
        """A reference may lead to another file, and to another source."""
        shop.write(
            "web.yaml",
            f"{HEAD}kind: Resource\nmetadata: {{name: web, project: shop}}\nspec: {{extends: api}}\n",
            source="other",
        )
        assert shop.catalog().documents[WEB].source == "other"

    def test_a_volume_needs_no_document(self, shop):
        """Storage may name a volume that nobody declares: it is a named one."""
        spec = "{source: {kind: external}, storage: {/data: {volume: data}}}"
        shop.write("web.yaml", f"{HEAD}kind: Resource\nmetadata: {{name: web, project: shop}}\nspec: {spec}\n")
        assert shop.catalog().problems == ()


class TestClaims:
    """Two documents with one identity."""

    def test_neither_of_one_source_is_used(self, shop):
        """Who meant which is not guessed at; the identity stays declared."""
        shop.write("a.yaml", volume("media"))
        shop.write("b.yaml", volume("media"))
        catalog = shop.catalog()
        assert media() not in catalog.documents
        assert catalog.broken == {media(): "root"}
        assert [str(problem) for problem in catalog.problems] == [
            "a.yaml:1:1 metadata.name: Volume/shop/media is declared at b.yaml:1:1 as well",
            "b.yaml:1:1 metadata.name: Volume/shop/media is declared at a.yaml:1:1 as well",
        ]

    def test_the_first_source_by_name_keeps_its_own(self, shop):
        """A further source cannot take, or spoil, what is claimed already."""
        shop.write("a.yaml", volume("media"))
        shop.write("b.yaml", volume("media"), source="visitors")
        catalog = shop.catalog()
        assert catalog.documents[media()].source == "root"
        assert [str(problem) for problem in catalog.problems] == [
            "b.yaml:1:1 metadata.name: Volume/shop/media is declared at a.yaml:1:1 of source root as well"
        ]

    def test_what_moved_out_of_a_broken_file_is_held(self, shop):
        """A document that appears elsewhere while its old file is broken may be there twice: it waits."""
        shop.write("a.yaml", volume("media"))
        shop.catalog()
        shop.write("a.yaml", HEAD + "kind: [\n")
        shop.write("b.yaml", volume("media"))
        catalog = shop.catalog()
        assert catalog.broken == {media(): "root"}
        assert "b.yaml:1:1 metadata.name: Volume/shop/media was declared by a.yaml, which cannot be read now" in [
            str(problem) for problem in catalog.problems
        ]


class TestRemembered:
    """What a file declared before counts until it can be read again."""

    @pytest.fixture
    def two(self, shop):
        """A file with two volumes, as it was at the time of the last catalog."""
        shop.write("data.yaml", volume("media") + "---\n" + volume("cache"))
        shop.catalog()
        return shop

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(HEAD + "kind: [\n", id="syntax"),
            pytest.param(b"\xff" + HEAD.encode(), id="not UTF-8"),
            pytest.param(b"\x00\xff\x00", id="no text at all"),
            pytest.param(volume("media") + "---\n" + volume("cache") + "x: [", id="the last document"),
            pytest.param(volume("media") + "---\n" + volume("cache").replace("Volume", "Volum"), id="kind"),
            pytest.param(volume("media") + "---\n" + volume("cache").replace("cache", "Cache!"), id="name"),
            pytest.param((volume("media") + "---\n" + volume("cache")).replace("reconciler", "rekonciler"), id="dev"),
            pytest.param((volume("media") + "---\n" + volume("cache")).replace(HEAD, ""), id="no apiVersion"),
        ],
    )
    def test_identities_of_a_damaged_file_still_count(self, two, text):
        """However it is damaged, both volumes count as declared, now and the next time."""
        two.write("data.yaml", text)
        for catalog in (two.catalog(), two.catalog()):
            assert {media(), media("cache")} <= catalog.documents.keys() | catalog.broken.keys()
            assert catalog.declared_by["root", "data.yaml"] >= {media(), media("cache")}
            assert catalog.opaque == frozenset()
            assert any(problem.place.path == "data.yaml" for problem in catalog.problems)
            assert ("root", "data.yaml") in catalog.manifest_files or text == b"\x00\xff\x00"

    def test_a_good_document_of_a_damaged_file_is_used(self, two):
        """Only what cannot be read is held."""
        two.write("data.yaml", volume("media") + "---\n" + volume("cache") + "x: [")
        catalog = two.catalog()
        assert media() in catalog.documents
        assert catalog.broken == {media("cache"): "root"}

    def test_a_broken_document_may_be_more_than_it_says(self, two):
        """While syntax is broken, a name that is gone from the file may have gone with the breakage."""
        two.write("data.yaml", volume("media") + "---\n" + volume("cash") + "x: [")
        assert two.catalog().broken.keys() == {media("cash"), media("cache")}

    def test_what_a_good_file_no_longer_declares_is_forgotten(self, two):
        """A document that is taken out of a file that can be read is gone."""
        two.write("data.yaml", volume("media"))
        catalog = two.catalog()
        assert media("cache") not in {**catalog.documents, **catalog.broken}
        assert catalog.declared_by["root", "data.yaml"] == {media()}

    def test_a_removed_file_is_forgotten(self, two):
        """A file that is gone declares nothing."""
        two.remove("data.yaml")
        catalog = two.catalog()
        assert media() not in {**catalog.documents, **catalog.broken}
        assert ("root", "data.yaml") not in catalog.declared_by

    @pytest.mark.parametrize("link", ["data.yaml", "apps"])
    def test_a_symbolic_link_in_its_place_is_told_of(self, two, link):
        """A file, or its folder, that became a link is not followed, and what it declared still counts."""
        two.write("apps/more.yaml", volume("more"))
        two.catalog()
        moved = {"data.yaml": {media(), media("cache")}, "apps": {media("more")}}[link]
        two.sources["root"] = {
            path: data for path, data in two.sources["root"].items() if path != link and not path.startswith(f"{link}/")
        }
        two.refused = {link: "a symbolic link, which is never followed"}
        catalog = two.catalog()
        assert catalog.broken.keys() == moved
        assert [problem.place.path for problem in catalog.problems] == [link]

    def test_a_link_that_declared_nothing_is_only_named(self, shop):
        """A link that never was a manifest is no problem of ours."""
        shop.refused = {"chart.yaml": "a symbolic link, which is never followed"}
        catalog = shop.catalog()
        assert catalog.problems == ()
        assert catalog.ignored["root", "chart.yaml"] == "a symbolic link, which is never followed"

    def test_a_file_that_was_not_read_is_unknown(self, shop):
        """A file that nobody decoded is not an empty one."""
        catalog = build({"root": Revision("root", "1", {"a.yaml": File("a.yaml", "0")})}, {})
        assert catalog.opaque == {"root"}
        assert [str(problem) for problem in catalog.problems] == ["a.yaml was not read: what it declares is unknown"]


class TestOpaque:
    """A source of which something is unknown, and nothing known stands for it."""

    @pytest.mark.parametrize(
        "text",
        [
            HEAD + "kind: [\n",
            HEAD + "kind: Resorce\nmetadata: {name: web, project: shop}\n",
            HEAD + "kind: Volume\nmetadata: {name: media}\n",
            HEAD + "- a\n",
        ],
    )
    def test_a_new_file_without_an_identity_makes_its_source_opaque(self, shop, text):
        """It could be anything, something that moved here included."""
        shop.write("new.yaml", text)
        assert shop.catalog().opaque == {"root"}

    def test_more_unknown_documents_than_known_before(self, shop):
        """One identity known from before does not stand for two documents that cannot be told."""
        shop.write("data.yaml", volume("media"))
        shop.catalog()
        shop.write("data.yaml", HEAD + "kind: [\n---\n" + HEAD + "kind: [\n")
        catalog = shop.catalog()
        assert (catalog.opaque, catalog.broken) == ({"root"}, {media(): "root"})

    def test_an_identity_in_the_text_is_enough(self, shop):
        """A broken file that says who it is makes nothing else uncertain."""
        shop.write("new.yaml", volume("media") + "spec: [")
        catalog = shop.catalog()
        assert (catalog.opaque, catalog.broken) == (frozenset(), {media(): "root"})

    def test_a_foreign_document_among_manifests_hides_nothing(self, shop):
        """It is told of, and makes nothing uncertain."""
        shop.write("mixed.yaml", volume("media") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
        catalog = shop.catalog()
        assert catalog.opaque == frozenset()
        assert media() in catalog.documents
        assert len(catalog.problems) == 1


class TestBrokenAbove:
    """What is broken above good documents."""

    def test_a_broken_project_leaves_its_documents_known(self, shop):
        """Its environments count as declared, and its resources are not drowned in messages that follow from it."""
        text = shop.sources["root"]["base.yaml"].decode().replace("spec:\n  env", "spec:\n  lifecycl: x\n  env")
        shop.write("base.yaml", text)
        catalog = shop.catalog()
        assert [str(p) for p in catalog.problems] == [
            "base.yaml:5:3 spec.lifecycl: unknown field; did you mean lifecycle?"
        ]
        assert catalog.broken == {ResourceKey("Project", "", "shop"): "root", PRODUCTION: "root"}
        assert API in catalog.documents

    def test_names_of_environments_wait_for_their_project(self, repository):
        """Which environments a project has is unknown while it does not parse: naming one is no mistake."""
        repository.write("project.yaml", f"{HEAD}kind: Project\nmetadata: {{name: shop}}\nspec: [")
        spec = "{environments: [production], source: {kind: external}}"
        repository.write("web.yaml", f"{HEAD}kind: Resource\nmetadata: {{name: web, project: shop}}\nspec: {spec}\n")
        catalog = repository.catalog()
        assert [problem.place.path for problem in catalog.problems] == ["project.yaml"]
        assert WEB in catalog.documents

    def test_a_project_that_is_nowhere_is_told_of_once_per_document(self, repository):
        """Nothing can be said of names in a project that does not exist."""
        spec = "{environments: [production], source: {kind: external}}"
        repository.write("web.yaml", f"{HEAD}kind: Resource\nmetadata: {{name: web, project: shop}}\nspec: {spec}\n")
        catalog = repository.catalog()
        assert [str(problem) for problem in catalog.problems] == [
            "web.yaml:3:23 metadata.project: there is no Project shop"
        ]
        assert catalog.broken == {WEB: "root"}

    def test_a_broken_base_reaches_through_generations(self, shop):
        """What extends something that extends something broken cannot be used either."""
        chain = {"a": "{source: {kind: external}, replicas: -1}", "b": "{extends: a}", "c": "{extends: b}"}
        for name, spec in chain.items():
            head = f"{HEAD}kind: Resource\nmetadata: {{name: {name}, project: shop}}\n"
            shop.write(f"{name}.yaml", f"{head}spec: {spec}\n")
        catalog = shop.catalog()
        assert {key.name for key in catalog.broken} == {"a", "b", "c"}
        assert str(catalog.problems[-1]) == "c.yaml:4:8 spec.extends: its base b (b.yaml:1:1) cannot be used"

    def test_depending_on_something_broken_is_no_mistake(self, shop):
        """Only a base that is broken spoils who names it."""
        head = f"{HEAD}kind: Resource\nmetadata: {{name: web, project: shop}}\n"
        shop.write("web.yaml", f"{head}spec: {{source: {{kind: external}}, replicas: -1}}\n")
        shop.write(
            "api.yaml",
            f"{HEAD}kind: Resource\nmetadata: {{name: jobs, project: shop}}\n"
            "spec: {source: {kind: external}, dependsOn: [web]}\n",
        )
        assert ResourceKey("Resource", "shop", "jobs") in shop.catalog().documents


class TestFiles:
    """Which files are read, and what is said of the others."""

    def test_candidates_are_yaml_files_and_secrets(self):
        """Anything else is not even looked into."""
        names = ["b.yml", "a.yaml", "c.txt", "secrets.sops.json", "x/d.yaml", "yaml"]
        revision = Revision("root", "1", {name: File(name, "0") for name in names})
        assert candidates(revision) == ["a.yaml", "b.yml", "secrets.sops.json", "x/d.yaml"]

    def test_says_why_a_file_is_not_read(self, shop):
        """Other people's YAML, SOPS files and ignored files are named with a reason, and are no problem."""
        shop.write("compose.yaml", "services: {}\n")
        shop.write("secrets/production.yaml", "a: ENC[x]\nsops: {mac: y}\n")
        shop.write("drafts/web.yaml", HEAD + "kind: [\n")
        shop.write(".reconcilerignore", "drafts/\n")
        catalog = shop.catalog()
        assert catalog.problems == ()
        assert catalog.ignored == {
            ("root", "compose.yaml"): "no document with an apiVersion that begins reconciler.dev/",
            ("root", "drafts/web.yaml"): "ignored by .reconcilerignore",
            ("root", "secrets/production.yaml"): "a SOPS file: secrets, not a manifest",
        }
        assert catalog.manifest_files == {("root", "base.yaml")}
        assert catalog.sops_files == {("root", "secrets/production.yaml")}
        assert catalog.ignores["root"].matches("drafts/anything.py")

    def test_other_yaml_with_our_kinds_is_not_ours(self, shop):
        """A Certificate of somebody else's API in a file that never declared manifests is ignored."""
        shop.write("cert.yaml", "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: x}\n")
        assert shop.catalog().problems == ()

    def test_a_manifest_that_became_something_else_is_gone(self, shop):
        """A file that now holds nothing like a manifest declares nothing."""
        shop.write("data.yaml", volume("media"))
        shop.catalog()
        shop.write("data.yaml", "services: {}\n")
        catalog = shop.catalog()
        assert (catalog.problems, catalog.broken) == ((), {})
