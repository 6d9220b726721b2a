"""What may be read of a value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.objects import Composite, Origin, Plain, SecretRef, Value
from reconciler.manifests.problem import Position
from reconciler.status.masking import clear, is_secret_name, named, secrets_of, tree
from tests.api import shop


@pytest.mark.parametrize(
    "name",
    ["DATABASE_URL", "API_TOKEN", "TOKEN", "DB_PASSWORD", "SSH_PRIVATE_KEY", "aws_secret", "password", "X_API_KEY",
     "AWS_SECRET_ACCESS_KEY", "env.DB_PASSWORD"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    """A name alone is enough."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["LOG", "TOKENS_PER_MINUTE", "PUBLIC_KEY", "SECRETARY", "restartToken", "API_URL"])
def test_names_of_no_secrets(name: str) -> None:
    """Words that only look alike are shown."""
    assert not is_secret_name(name)


def test_templates_are_as_secret_as_their_parts() -> None:
    """Through any number of templates, and round a circle; a plain value that its origin masks counts too."""
    env: dict[str, Value] = {
        "A": SecretRef("file", "/a"),
        "B": Composite("x$(A)"),
        "C": Composite("y$(B)"),
        "D": Composite("z$(E)"),
        "E": Plain("e"),
        "F": Composite("$(F)"),
    }
    workload = shop.workload(shop.WEB, origins={"E": Origin("resource", Position("a.env", 1, 1), masked=True)})
    found = secrets_of(replace(workload, template=replace(workload.template, env=tuple(env.items()))))
    assert sorted(found) == ["A", "B", "C", "D", "E"]


def test_passwords_in_urls_are_masked() -> None:
    """Inside any text, several of them, and nothing else of it."""
    assert clear("amqp://u:p1@a/ and https://:p2@b") == "amqp://u:****@a/ and https://:****@b"
    assert clear("http://host:8080/a@b") == "http://host:8080/a@b"
    assert named("DB_PASSWORD", "") == ""


def test_trees_are_masked_by_key() -> None:
    """Texts under a secret's name, however deep, in lists too."""
    said = tree({"env": {"API_TOKEN": "x", "HOSTS": ["a"]}, "PASSWORD": ["y"], "n": 1, "none": None})
    assert said == {"env": {"API_TOKEN": "****", "HOSTS": ["a"]}, "PASSWORD": ["****"], "n": 1, "none": None}
