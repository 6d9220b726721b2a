"""The status endpoint: GET and HEAD only, a pure function of what is published and of the ledger's history.

It never waits for a pass, never touches a target, and writes nothing. Who runs it gives it a ``Surface``.
"""
