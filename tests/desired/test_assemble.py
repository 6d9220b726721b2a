"""From texts to what is wanted: merging, precedence, links, secrets, volumes, rollouts; what is refused has a place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.assemble import assemble
from reconciler.desired.facts import Facts, env_files, secret_references
from reconciler.desired.names import volume_name
from reconciler.desired.objects import Composite, Desired, Link, Plain, Probe, SecretRef, Workload
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from tests.manifests.conftest import HEAD, Repository

PROJECT = f"""\
{HEAD}kind: Project
metadata: {{name: shop}}
spec:
  variables: {{LOG: project, SHARED: project}}
  environments:
    production: {{target: {{server: here}}, variables: {{LOG: production}}}}
    staging: {{target: {{server: here}}}}
---
{HEAD}kind: Server
metadata: {{name: here}}
spec: {{connection: {{kind: local}}, engine: process, edgeProxy: {{kind: none}}, portRange: 21000-21999}}
"""


class World(Repository):
    """A repository with a project, a server and an application folder."""

    def __init__(self) -> None:
        super().__init__()
        self.write("project.yaml", PROJECT)
        self.write("app/run.py", "print()")

    def resource(self, name: str, spec: str, *, folder: str = "") -> None:
        lines = "".join(f"  {line}\n" for line in spec.strip().splitlines())
        self.write(
            f"{folder}{name}.yaml", f"{HEAD}kind: Resource\nmetadata: {{name: {name}, project: shop}}\nspec:\n{lines}"
        )

    def desired(self, facts: Facts | None = None) -> Desired:
        return assemble(self.catalog(), facts or Facts())


@pytest.fixture
def world():
    return World()


APP = "source: {kind: local-folder, path: app}\ncommand: [python3, run.py]\n"


def key(name: str, environment: str = "production", kind: str = "Resource") -> ResourceKey:
    return ResourceKey(kind, "shop", name, environment)


def one(desired: Desired, name: str, environment: str = "production") -> Workload:
    """The workload of a resource; fails with what stands in its way."""
    found = [w for w in desired.workloads if w.key == key(name, environment)]
    assert found, [str(b.problem) for b in desired.blocks] + [str(p) for p in desired.problems]
    return found[0]


def said(desired: Desired, name: str) -> list[str]:
    """Reason and problem of every block of a resource, in production."""
    return [f"{b.reason} {b.problem}" for b in desired.blocks if b.key == key(name)]


def env(workload: Workload) -> dict[str, object]:
    return dict(workload.template.env)


class TestExpansion:
    def test_a_resource_exists_in_every_environment(self, world):
        """Each environment has its own instance of everything, in its own unit."""
        world.resource("web", APP)
        desired = world.desired()
        assert [w.key for w in desired.workloads] == [key("web"), key("web", "staging")]
        assert {w.unit for w in desired.workloads} == {
            UnitKey(server("here"), "shop", e) for e in ("production", "staging")
        }
        assert {key("web"), key("web", "staging")} <= set(desired.declared)

    def test_environments_narrow_it(self, world):
        """Named environments only; the others do not declare it."""
        world.resource("web", APP + "environments: [staging]")
        desired = world.desired()
        assert [w.key for w in desired.workloads] == [key("web", "staging")]
        assert key("web") not in desired.declared

    def test_two_environments_have_two_releases(self, world):
        """Volumes, links and variables may differ, and so do releases where they do."""
        world.resource("web", APP)
        desired = world.desired()
        assert one(desired, "web").release != one(desired, "web", "staging").release

    def test_deleted_is_declared_and_not_planned(self, world):
        """It was said explicitly, so it needs no Approval."""
        world.resource("web", APP + "desiredState: deleted")
        desired = world.desired()
        assert desired.deleted == {key("web"), key("web", "staging")}
        assert desired.workloads == ()

    def test_the_order_of_files_does_not_matter(self, world):
        """Same documents, same desired state."""
        world.resource("web", APP)
        world.resource("api", APP)
        first = world.desired()
        moved = World()
        moved.resource("api", APP)
        moved.resource("web", APP)
        assert moved.desired() == replace(first, revisions=moved.desired().revisions)


class TestVariables:
    def test_the_nearest_level_wins_and_says_where(self, world):
        """settings < project < environment < resource < override."""
        world.resource("web", APP + "variables: {OWN: resource}\noverrides: {production: {variables: {OWN: override}}}")
        web = one(world.desired(Facts(variables={"LOG": "settings", "HOST": "settings"})), "web")
        assert env(web) == {
            "HOST": Plain("settings"),
            "LOG": Plain("production"),
            "OWN": Plain("override"),
            "SHARED": Plain("project"),
        }
        assert {name: o.level for name, o in web.origins.items()} == {
            "HOST": "system",
            "LOG": "environment",
            "OWN": "override",
            "SHARED": "project",
        }
        assert str(web.origins["LOG"].place) == "project.yaml:7:54"

    def test_an_override_removes_with_null(self, world):
        """RFC 7386: null takes a variable away."""
        world.resource("web", APP + "variables: {A: a, B: b}\noverrides: {production: {variables: {A: null}}}")
        desired = world.desired()
        assert "A" not in env(one(desired, "web"))
        assert env(one(desired, "web", "staging"))["A"] == Plain("a")

    def test_replace_leaves_only_its_own(self, world):
        """``envMode: replace`` ignores the levels above."""
        world.resource("web", APP + "envMode: replace\nvariables: {A: a}")
        assert env(one(world.desired(), "web")) == {"A": Plain("a")}

    def test_env_files_lie_below_its_own(self, world):
        """The last line of a name counts, and that it stands twice is said."""
        world.write("app/.env", "A=1\nB=2\nA=3\n")
        world.resource("web", APP + "envFrom: [{path: app/.env}]\nvariables: {B: own}")
        facts = Facts(env_files=dict.fromkeys(env_files(world.catalog()), "A=1\nB=2\nA=3\n"))
        web = one(world.desired(facts), "web")
        assert (env(web)["A"], env(web)["B"]) == (Plain("3"), Plain("own"))
        assert [str(n) for n in web.notes] == ["app/.env:3:1 A: stands on line 1 already; this one counts"]

    def test_secret_looking_names_of_env_files_are_masked(self, world):
        """``*_PASSWORD`` in a file in clear is shown to nobody all the same."""
        world.write("app/.env", "DB_PASSWORD=x\n")
        world.resource("web", APP + "envFrom: [{path: app/.env}]")
        facts = Facts(env_files=dict.fromkeys(env_files(world.catalog()), "DB_PASSWORD=x\n"))
        assert one(world.desired(facts), "web").origins["DB_PASSWORD"].masked

    def test_a_missing_env_file_blocks(self, world):
        """Its place and its path are told."""
        world.resource("web", APP + "envFrom: [{path: gone.env}]")
        assert said(world.desired(), "web") == [
            "NotPossible web.yaml:7:14 spec.envFrom.0.path: gone.env is not in the source"
        ]

    def test_a_link_is_kept_as_a_link(self, world):
        """Its port is the main one unless it is named."""
        world.resource("api", APP + "ports: {http: 8000}")
        world.resource("web", APP + "variables: {API: {from: {resource: api}}, T: {template: 'x$(API)'}}")
        assert env(one(world.desired(), "web"))["API"] == Link(key("api"), "http")
        assert env(one(world.desired(), "web"))["T"] == Composite("x$(API)")

    def test_a_link_to_nothing_blocks(self, world):
        """No such port, or no port at all."""
        world.resource("api", APP)
        world.resource("web", APP + "variables: {API: {from: {resource: api, port: admin}}}")
        assert said(world.desired(), "web") == ["NotPossible web.yaml:7:15 spec.variables.API: api has no port admin"]


class TestSecrets:
    SPEC = APP + "variables: {KEY: {secret: {file: /run/key}}}"

    def test_only_the_reference_is_in_the_release(self, world):
        """The value's digest is in the stamp; the release does not know it."""
        world.resource("web", self.SPEC)
        reference = SecretRef("file", "/run/key")
        assert secret_references(world.catalog()) == [reference]
        first, second = (one(world.desired(Facts(secrets={reference: (d,)})), "web") for d in ("k1:aa", "k1:bb"))
        assert first.release == second.release
        assert first.stamp != second.stamp

    def test_a_new_digest_key_is_told_from_a_new_value(self, world):
        """Under the older key the stamp is the one that runs."""
        world.resource("web", self.SPEC)
        reference = SecretRef("file", "/run/key")
        old = one(world.desired(Facts(secrets={reference: ("k1:aa",)})), "web")
        new = one(world.desired(Facts(secrets={reference: ("k2:zz", "k1:aa")})), "web")
        assert new.stamp != old.stamp
        assert new.older_stamps == {old.stamp}

    def test_a_secret_that_cannot_be_had_blocks(self, world):
        """A missing fact is a block, never a guess."""
        world.resource("web", self.SPEC)
        facts = Facts(secret_errors={SecretRef("file", "/run/key"): "is not there"})
        assert said(world.desired(facts), "web") == [
            "SecretUnavailable web.yaml:7:15 variables.KEY: secret file:/run/key: is not there"
        ]

    @pytest.mark.parametrize("form", ["name", "{sops: {file: a.sops.yaml, key: b}}", "{sealed: abc}"])
    def test_forms_of_later_versions_block(self, world, form):
        """Said, never ignored."""
        world.resource("web", APP + f"variables: {{KEY: {{secret: {form}}}}}")
        (told,) = said(world.desired(), "web")
        assert told.startswith("Unsupported web.yaml:7:")
        assert told.endswith("not supported by this version yet")


class TestExtends:
    def test_copies_what_it_should_and_nothing_else(self, world):
        """Source, variables, storage and user; never ports, health, deploy or tokens."""
        base = (
            APP
            + "user: www\nports: {http: 8000}\nhealth: {http: {path: /}}\nrestartToken: a\n"
            + "variables: {A: base, B: base}\n"
        )
        world.resource("web", base + "deploy: {release: {command: [migrate]}}")
        world.resource("worker", "extends: web\ncommand: [work]\nvariables: {B: own}")
        worker = one(world.desired(), "worker")
        assert worker.template.user == "www"
        assert worker.template.ports == ()
        assert worker.template.probe == Probe("quiet")
        assert (worker.stamp, worker.release_command) == ("", None)
        assert (env(worker)["A"], env(worker)["B"]) == (Plain("base"), Plain("own"))

    def test_paths_stay_where_they_were_written(self, world):
        """A base in another folder names its own folder."""
        world.write("base/code/x.py", "1")
        world.resource("web", "source: {kind: local-folder, path: code}", folder="base/")
        world.resource("worker", "extends: web")
        desired = world.desired()
        assert one(desired, "worker").template.artifact == one(desired, "web").template.artifact

    def test_its_own_field_beats_the_bases_override(self, world):
        """An override of the base is the base's, not the child's."""
        world.resource("web", APP + "variables: {A: base}\noverrides: {production: {variables: {A: over, B: over}}}")
        world.resource("worker", "extends: web\nvariables: {A: own}")
        worker = one(world.desired(), "worker")
        assert (env(worker)["A"], env(worker)["B"]) == (Plain("own"), Plain("over"))


class TestTrees:
    def test_manifests_and_ignored_files_are_no_part(self, world):
        """A changed manifest beside the code changes no release."""
        world.resource("web", APP, folder="app/")
        world.write("app/web.yaml", world.sources["root"]["app/web.yaml"].replace(b"path: app", b"path: ."))
        world.write("app/notes.log", "1")
        world.write(".reconcilerignore", "*.log\n")
        first = one(world.desired(), "web")
        world.write("app/web.yaml", world.sources["root"]["app/web.yaml"] + b"\n# a comment\n")
        world.write("app/notes.log", "2")
        assert one(world.desired(), "web").release == first.release
        world.write("app/more.py", "print(2)")
        assert one(world.desired(), "web").release != first.release

    def test_a_folder_without_files_blocks(self, world):
        """With the place of the path."""
        world.resource("web", "source: {kind: local-folder, path: nothing}")
        assert said(world.desired(), "web") == [
            "NotPossible web.yaml:5:32 spec.source.path: there is no file in nothing"
        ]

    def test_build_commands_make_another_artifact(self, world):
        """One per tree and commands."""
        world.resource("web", APP + "build: {commands: [[make]]}")
        world.resource("api", APP + "build: {commands: [[make]]}")
        desired = world.desired()
        artifact = one(desired, "web").template.artifact
        assert artifact.name.startswith("build-") and artifact.id in desired.trees
        assert one(desired, "api").template.artifact == artifact


class TestVolumes:
    def test_one_without_a_document_is_retained(self, world):
        """Named by somebody's storage alone."""
        world.resource("db", APP + "storage: {/data: {volume: data, env: DATA}}")
        desired = world.desired()
        assert [(v.key, v.name, v.deletion) for v in desired.volumes if v.key.environment == "production"] == [
            (key("data", kind="Volume"), volume_name(key("data", kind="Volume")), "retain")
        ]
        assert key("data", kind="Volume") in desired.declared

    def test_a_writer_forces_stop_first(self, world):
        """And says why; start-first is refused."""
        storage = "storage: {/data: {volume: data, env: DATA}}\n"
        world.resource("db", APP + storage)
        assert one(world.desired(), "db").rollout.why == "a single-writer volume"
        world.resource("db", APP + storage + "deploy: {strategy: start-first}")
        (told,) = said(world.desired(), "db")
        assert told.endswith("spec.deploy.strategy: start-first is not possible with a single-writer volume")

    def test_two_mounters_must_share(self, world):
        """Both are blocked until the volume is declared shared."""
        for name in ("a", "b"):
            world.resource(name, APP + "storage: {/data: {volume: data, env: DATA}}")
        assert len(said(world.desired(), "a")) == len(said(world.desired(), "b")) == 1
        world.write(
            "data.yaml", f"{HEAD}kind: Volume\nmetadata: {{name: data, project: shop}}\nspec: {{access: shared}}\n"
        )
        assert one(world.desired(), "a").rollout == one(world.desired(), "b").rollout

    def test_the_process_engine_needs_a_variable(self, world):
        """Nothing can be mounted there."""
        world.resource("db", APP + "storage: {/data: {volume: data}}")
        assert "name the variable that passes the place, as env" in said(world.desired(), "db")[0]

    @pytest.mark.parametrize(
        ("allowed", "fine"), [("[/srv]", True), ("[/srv/media]", True), ("[/sr]", False), ("[]", False)]
    )
    def test_bind_mounts_need_a_permission(self, world, allowed, fine):
        """Below one of the Server's paths, by whole names."""
        world.write("project.yaml", PROJECT.replace("portRange:", f"allow: {{bindPaths: {allowed}}}, portRange:"))
        spec = "{kind: bind-mount, sourcePath: /srv/media}"
        world.write("media.yaml", f"{HEAD}kind: Volume\nmetadata: {{name: media, project: shop}}\nspec: {spec}\n")
        world.resource("web", APP + "storage: {/m: {volume: media, env: MEDIA}}")
        assert bool(said(world.desired(), "web")) is not fine


class TestRollout:
    def test_a_port_without_an_edge_is_fixed(self, world):
        """Stop-first, and the reason is told."""
        world.resource("web", APP + "ports: {http: 8000}")
        web = one(world.desired(), "web")
        assert (web.template.ports[0].fixed, web.rollout.stop_first, web.rollout.why) == (
            True,
            True,
            "a fixed port and no edge",
        )

    def test_a_worker_starts_first(self, world):
        """Nothing forces it to stop before the next one comes."""
        world.resource("worker", APP)
        assert not one(world.desired(), "worker").rollout.stop_first

    def test_a_host_port_is_bound(self, world):
        """And the others are assigned."""
        world.resource("web", APP + "ports: {http: {port: 8000, hostPort: 8080, bindAddress: 0.0.0.0}, admin: 9000}")
        ports = {p.name: (p.number, p.host_port, p.bind, p.main) for p in one(world.desired(), "web").template.ports}
        assert ports == {"admin": (0, 0, "127.0.0.1", False), "http": (8000, 8080, "0.0.0.0", True)}

    def test_projects_give_defaults(self, world):
        """A resource's own word is nearer."""
        world.write(
            "project.yaml",
            PROJECT.replace("  variables: {LOG", "  defaults: {deploy: {timeout: 5s}}\n  variables: {LOG", 1),
        )
        world.resource("web", APP)
        world.resource("api", APP + "deploy: {timeout: 7s}")
        desired = world.desired()
        assert (one(desired, "web").rollout.timeout, one(desired, "api").rollout.timeout) == (5, 7)

    def test_settings_are_no_part_of_the_release(self, world):
        """Timings of the health check change in place."""
        world.resource("web", APP + "ports: {http: 1}\nhealth: {http: {path: /a}}")
        first = one(world.desired(), "web")
        world.resource(
            "web", APP + "ports: {http: 1}\nhealth: {http: {path: /a}, interval: 3s}\ndeploy: {stopTimeout: 9s}"
        )
        second = one(world.desired(), "web")
        assert first.release == second.release
        assert second.settings == {"probe.interval": "3", "stopTimeout": "9"}

    def test_a_restart_token_is_a_stamp(self, world):
        """The release stays."""
        world.resource("web", APP)
        plain = one(world.desired(), "web")
        world.resource("web", APP + "restartToken: again")
        again = one(world.desired(), "web")
        assert (plain.stamp, plain.release) == ("", again.release)
        assert len(again.stamp) == 12


class TestHeld:
    @pytest.mark.parametrize(
        ("damaged", "kept"),
        [("kind: Project", "projects"), ("kind: Server", "targets")],
    )
    def test_what_is_broken_holds_all_below_it(self, world, damaged, kept):
        """Good resources under a broken Project, Environment or Server are unknown, not gone."""
        world.resource("web", APP)
        world.write("project.yaml", PROJECT.replace(f"{damaged}\n", f"{damaged}\nnonsense: 1\n"))
        held = world.desired().held
        assert getattr(held, kept)
        assert held.holds(key("web"), target=server("here"), source="root")

    def test_a_file_that_cannot_be_told_holds_its_source(self, world):
        """Nothing of a source goes while nobody knows what one of its files says."""
        world.write("torn.yaml", f"{HEAD}kind: [")
        assert "root" in world.desired().held.sources

    def test_a_source_that_was_not_read_is_unknown(self, world):
        """At a start without its source nothing is absent."""
        assert world.desired(Facts(unread=frozenset({"other"}))).held.sources == {"other"}

    def test_what_a_broken_manifest_names_stays(self, world):
        """A dangling name keeps what it names."""
        world.resource("web", APP + "dependsOn: [api]")
        assert ResourceKey("Resource", "shop", "api") in world.desired().named


class TestPolicies:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (
                ("    staging: {target: {server: here}}", "    staging: {target: {server: here}, lifecycle: locked}"),
                "Locked",
            ),
            (
                ("    staging: {target: {server: here}}", "    staging: {target: {server: here}, suspend: true}"),
                "Suspended",
            ),
            (("  variables: {LOG", "  lifecycle: archived\n  variables: {LOG"), "Archived"),
            (("engine: process", "engine: process, lifecycle: inactive"), "Inactive"),
        ],
    )
    def test_a_unit_is_held(self, world, change, reason):
        """With the reason's word."""
        before, after = change
        world.write("project.yaml", PROJECT.replace(before, after, 1))
        world.resource("web", APP)
        units = world.desired().units
        assert units[UnitKey(server("here"), "shop", "staging")].hold == reason

    def test_approvals_are_read(self, world):
        """Gate, reason and end."""
        spec = "{gate: 0123456789abcdef, reason: because, expiresAt: '2030-01-01T00:00:00Z'}"
        world.write(
            "yes.yaml",
            f"{HEAD}kind: Approval\nmetadata: {{name: yes}}\nspec: {spec}\n".replace("name: yes", 'name: "yes"'),
        )
        desired = world.desired()
        assert [(a.name, a.gate, a.expires_at) for a in desired.approvals] == [
            ("yes", "0123456789abcdef", 1893456000.0)
        ]

    def test_kinds_of_later_versions_are_said(self, world):
        """Never silently ignored."""
        spec = "{resource: web, environments: [production], schedule: '0 3 * * *', command: [x]}"
        world.resource("web", APP)
        world.write("t.yaml", f"{HEAD}kind: ScheduledTask\nmetadata: {{name: t, project: shop}}\nspec: {spec}\n")
        assert [str(b.problem) for b in world.desired().blocks] == [
            "t.yaml:2:1 kind: ScheduledTask is not supported by this version yet"
        ]

    def test_renamed_identities_are_told(self, world):
        """The volume keeps its object, and so its data."""
        world.resource("db", APP + "storage: {/data: {volume: store, env: DATA}}")
        world.write("v.yaml", f"{HEAD}kind: Volume\nmetadata: {{name: store, project: shop, renamedFrom: data}}\n")
        desired = world.desired()
        old, new = key("data", kind="Volume"), key("store", kind="Volume")
        assert desired.renamed[old] == new
        assert [v.name for v in desired.volumes if v.key == new] == [volume_name(old)]
