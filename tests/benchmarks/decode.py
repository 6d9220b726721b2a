"""How long decoding and cataloguing take: ``python tests/benchmarks/decode.py``. Prints figures, judges nothing."""

from __future__ import annotations

import sys
import time

from reconciler.manifests.catalog import build
from reconciler.manifests.decode import decode_file
from reconciler.manifests.revision import File, Revision

HEAD = "apiVersion: reconciler.dev/v1alpha1\n"
BASE = f"""\
{HEAD}kind: Project
metadata: {{name: shop}}
spec: {{environments: {{production: {{target: {{server: here}}}}}}}}
---
{HEAD}kind: Server
metadata: {{name: here}}
spec: {{connection: {{kind: local}}, engine: process}}
"""
RESOURCE = f"""\
{HEAD}kind: Resource
metadata: {{name: r%d, project: shop}}
spec:
  source: {{kind: local-folder, path: app}}
  command: [python, -m, app, "--port=$(PORT)"]
  ports: {{http: 8000}}
  health: {{http: {{path: /healthz}}}}
  variables:
    LOG: info
    KEY: {{secret: {{env: RECONCILER_SECRET_KEY}}}}
    SELF: {{from: {{resource: r%d, port: http}}}}
  storage: {{/data: {{volume: data, env: DATA}}}}
  deploy: {{timeout: 60s, drain: 5s}}
"""


def measure(count: int) -> None:
    """Prints milliseconds for ``count`` manifests in files of their own: decoded, built, and one decoded again."""
    files = {"base.yaml": BASE.encode(), **{f"r{n}.yaml": (RESOURCE % (n, n)).encode() for n in range(count)}}
    revision = Revision("root", "1", {path: File(path, path) for path in files})
    begun = time.perf_counter()
    decoded = {("root", path): decode_file(path, data) for path, data in files.items()}
    read = time.perf_counter()
    catalog = build({"root": revision}, decoded)
    built = time.perf_counter()
    decoded["root", "r0.yaml"] = decode_file("r0.yaml", files["r0.yaml"])
    build({"root": revision}, decoded, previous=catalog.declared_by)
    again = time.perf_counter()
    decode, build_all, change = (round(1000 * part) for part in (read - begun, built - read, again - built))
    sys.stdout.write(
        f"{count:>6} manifests: decode {decode} ms, catalog {build_all} ms, one file changed {change} ms, "
        f"{len(catalog.problems)} problems\n"
    )


if __name__ == "__main__":
    for size in (1_000, 10_000):
        measure(size)
