"""The exception tree.

    ReconcilerError
    ├── TransientError              try again, with backoff (``retry_after`` seconds when the other side said so)
    │   ├── Unreachable             the target did not answer: what is there is unknown
    │   ├── Conflict                it is not as we expected to find it: look again
    │   └── SourceUnavailable       the repository or directory cannot be read now
    └── TerminalError               will not mend by itself; retried when an input changes, or every 30 minutes
        ├── InvalidInput            what somebody wrote is wrong (settings, arguments, manifests)
        ├── ExistsNotOurs           a name is taken by something that does not prove to be ours
        ├── SecretUnavailable       a secret reference leads nowhere, or nowhere allowed
        ├── LedgerDamaged           the ledger cannot be read; nothing was guessed from it
        └── AlreadyRunning          another daemon holds the state directory

Adapters translate their library's exceptions into these at their border and chain them. An exception that is not
in this tree counts as transient, loud and throttled. Messages are lower-case fragments: place, value, next step.
"""


class ReconcilerError(Exception):
    """The root: everything this program raises on purpose."""


class TransientError(ReconcilerError):
    """Worth another try; ``retry_after`` is in seconds, ``None`` when the backoff decides."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(TransientError):
    """The target did not answer."""


class Conflict(TransientError):
    """A precondition did not hold; the next pass looks again."""


class SourceUnavailable(TransientError):
    """The source of the manifests cannot be read now."""


class TerminalError(ReconcilerError):
    """Only a changed input mends it."""


class InvalidInput(TerminalError):
    """What somebody wrote is wrong."""


class ExistsNotOurs(TerminalError):
    """The name is taken by an object without our mark."""


class SecretUnavailable(TerminalError):
    """A secret cannot be had; the message never holds a value."""


class LedgerDamaged(TerminalError):
    """The ledger cannot be read."""


class AlreadyRunning(TerminalError):
    """Another daemon works with the same state directory."""
