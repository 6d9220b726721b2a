"""Whole domains: a real name server decides over a first route, a real proxy serves a certificate that was brought."""

from __future__ import annotations

import hashlib
import socket
import ssl
from datetime import UTC, datetime

import pytest

from tests.certificates import conftest as forging
from tests.certificates.conftest import Forge, pem
from tests.dns.conftest import free_port, nsd, serve
from tests.runtime.edge_kit import EdgeHouse

__all__ = ["nsd"]

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

HOST = "shop.example"


@pytest.fixture
def house(tmp_path):
    house = EdgeHouse(tmp_path)
    yield house
    house.clean()


def domain(house):
    return house.ask("api/v1/domains")["items"][0]


def test_a_domain_gets_its_first_route_when_it_leads_here_and_keeps_it(house, nsd, tmp_path):
    """Elsewhere: told what to add. Here: answered. Silent afterwards: answered still."""
    port, folder = free_port(), tmp_path / "nsd"
    folder.mkdir()
    server = serve(nsd, folder, "127.0.0.1", port)
    try:
        house.web("hello", domains=f"{HOST}: {{verification: address}}")
        base = (house.source / "base.yaml").read_text()
        house.write("base.yaml", base.replace(f"127.0.0.1:{house.http}", f":{house.http}"))
        dns = f'dns: {{servers: ["127.0.0.1:{port}"], timeout: 2s, addresses: [ADDRESS]}}\n'
        house.configure(dns.replace("ADDRESS", "203.0.113.1"))
        house.start()
        house.until(lambda: house.resource()["ready"] == "True")
        told = house.until(lambda: domain(house)["route"] if domain(house)["route"]["dns"]["seen"] else None)
        assert (told["state"], told["dns"]["state"]) == ("not-configured", "mismatch")
        assert told["blockers"] == ["proxy_route_missing", "dns_points_elsewhere", "domain_not_verified"]
        assert f"{HOST}. A 203.0.113.1" in told["message"]
        assert house.get(host=HOST)[0] == 404
        house.end()
        house.configure(dns.replace("ADDRESS", "198.51.100.7"))
        house.start().answered("hello", host=HOST)
        assert domain(house)["status"] == "ready"
    finally:
        server.terminate()
        server.wait(10)
    house.end()
    house.start()
    told = house.until(lambda: domain(house)["route"] if domain(house)["route"]["dns"]["checkedAt"] else None)
    assert (told["dns"]["state"], told["state"], told["blockers"]) == ("lookup_failed", "ready", [])
    house.answered("hello", host=HOST)


def served(port: int) -> str:
    """The fingerprint of what the edge shows under the host's name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), 10)
    with plain, context.wrap_socket(plain, server_hostname=HOST) as secured:
        return hashlib.sha256(secured.getpeercert(binary_form=True)).hexdigest()


def test_a_certificate_that_was_brought_is_served_renewed_and_never_shown(house, monkeypatch):
    """Metadata alone is read; a bundle that is no good changes nothing; no line of a PEM leaves the secret."""
    monkeypatch.setattr(forging, "NOW", datetime.now(UTC))
    forge, https = Forge(), free_port()
    vault = house.root / "vault"
    vault.mkdir(mode=0o700)
    bundles = [pem(*forge.issue(HOST), forge.certificate) for _ in range(2)]
    stranger = pem(forge.issue(HOST)[0], forge.issue(HOST)[1])
    secret = vault / "shop.pem"
    secret.write_bytes(bundles[0])
    base = (house.source / "base.yaml").read_text()
    listen = f'http: "127.0.0.1:{house.http}"'
    house.write("base.yaml", base.replace(listen, f'{listen}, https: "127.0.0.1:{https}"'))
    house.write(
        "certificate.yaml",
        "apiVersion: reconciler.dev/v1alpha1\nkind: Certificate\nmetadata: {name: shop, project: shop}\n"
        f"spec: {{source: imported, secretRef: {{file: {secret}}}, domains: [{HOST}]}}\n",
    )
    house.web("hello", domains=f"{HOST}: {{certificateRef: shop}}")
    house.configure(f"secrets: {{fileRoots: [{vault}]}}\n")
    house.start()

    def told():
        return house.ask("api/v1/certificates")["items"][0]

    first = house.until(lambda: told()["fingerprint"])
    house.until(lambda: served(https) == first)
    secret.write_bytes(stranger)
    house.until(lambda: told()["status"] == "failed")
    assert "its key belongs to another certificate" in told()["problems"][0]
    assert served(https) == first
    secret.write_bytes(bundles[1])
    second = house.until(lambda: told()["fingerprint"] if told()["status"] == "active" else None)
    house.until(lambda: served(https) == second != first)
    house.until(lambda: domain(house)["route"]["tls"]["state"] == "active")
    lines = [line for text in (*bundles, stranger) for line in text.split() if len(line) > 40]
    kept = [house.root / "log", *house.state.glob("ledger*")]
    answers = [
        house.ask(f"api/v1/{name}") for name in ("certificates", "domains", "plan", "events", "status", "doctor")
    ]
    shown = b"".join(path.read_bytes() for path in kept) + repr([*answers, house.resource()]).encode()
    assert not [line for line in lines if line in shown]
