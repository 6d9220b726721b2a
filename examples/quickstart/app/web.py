"""Greets whoever comes, and counts the visits in a file of its volume."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GREETING = os.environ["GREETING"]
ENVIRONMENT = os.environ["RECONCILER_ENVIRONMENT"]
VISITS = Path(os.environ["VISITS_DIR"]) / "visits.txt"
counting = threading.Lock()


def visits() -> int:
    """How often somebody came, over all the releases that ever ran."""
    return int(VISITS.read_text()) if VISITS.exists() else 0


def count_visit() -> int:
    """One visit more; the file is replaced whole, so that a kill leaves the old number or the new one."""
    with counting:
        number = visits() + 1
        draft = VISITS.with_suffix(".new")
        draft.write_text(str(number))
        draft.replace(VISITS)
    return number


class Page(BaseHTTPRequestHandler):
    """`/` greets and counts, `/visits` only tells the number, `/healthz` says that all is well."""

    def do_GET(self) -> None:
        """Answer one request."""
        pages = {
            "/": lambda: f"{GREETING}! This is {ENVIRONMENT}, visit {count_visit()}, process {os.getpid()}.",
            "/visits": lambda: str(visits()),
            "/healthz": lambda: "ok",
        }
        page = pages.get(self.path)
        body = (page() if page else "not here").encode() + b"\n"
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Visits go to the log, health checks do not."""
        if self.path != "/healthz":
            print(format % args, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = int(os.environ["PORT"])
    print(f"listening on port {port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()
