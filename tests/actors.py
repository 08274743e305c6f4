"""Who acts in tests that are not about who acts."""

from __future__ import annotations

from auth.audit.actor import Actor, staff_member

TESTER = staff_member("tests", frozenset())


def person(login: str) -> Actor:
    """A member of staff of all networks."""
    return staff_member(login, frozenset())
