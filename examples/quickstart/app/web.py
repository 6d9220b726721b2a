"""Greets whoever comes, and counts the visits in a file of its volume."""

import fcntl
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GREETING = os.environ["GREETING"]
ENVIRONMENT = os.environ["RECONCILER_ENVIRONMENT"]
VISITS = Path(os.environ["VISITS_DIR"]) / "visits.txt"
LOCK = VISITS.with_suffix(".lock")
counting = threading.Lock()


def visits() -> int:
    """How often somebody came, over all the releases that ever ran."""
    return int(VISITS.read_text()) if VISITS.exists() else 0


def count_visit() -> int:
    """One visit more; the file is replaced whole, so that a kill leaves the old number or the new one."""
    with counting, LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # during a release the old process and the new one both count
        number = visits() + 1
        draft = VISITS.with_suffix(".new")
        draft.write_text(str(number))
        draft.replace(VISITS)
    return number


def page(path: str) -> tuple[int, str]:
    """What is at a path: `/` greets and counts, `/visits` only tells the number, `/healthz` says that all is well."""
    match path:
        case "/":
            return 200, f"{GREETING}! This is {ENVIRONMENT}, visit {count_visit()}, process {os.getpid()}."
        case "/visits":
            return 200, str(visits())
        case "/healthz":
            return 200, "ok"
        case _:
            return 404, "not here"


class Pages(BaseHTTPRequestHandler):
    """Answers with a line of text."""

    def do_GET(self) -> None:
        """One request."""
        status, text = page(self.path)
        body = f"{text}\n".encode()
        self.send_response(status)
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
    ThreadingHTTPServer(("127.0.0.1", port), Pages).serve_forever()
