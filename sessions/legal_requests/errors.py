"""What can be wrong with a requisition. Types without words: the portal says them."""

from __future__ import annotations


class RequisitionError(Exception):
    """Something about a requisition was refused."""


class UnreadableEntry(RequisitionError):
    """What was given for `field` is missing or cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class ClosedRequisition(RequisitionError):
    """It was closed: nothing more leaves by it."""
