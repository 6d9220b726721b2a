"""Approval: somebody's written consent to one gate."""

from __future__ import annotations

from reconciler.manifests.kinds.base import GateDigest, Spec, Text, Timestamp


class ApprovalSpec(Spec):
    """Lets exactly one gate's set through, once."""

    gate: GateDigest
    """The digest that the plan prints."""
    reason: Text
    """Why, for people."""
    expires_at: Timestamp
    """When it stops working, with a zone: 2030-01-31T18:00:00Z."""
