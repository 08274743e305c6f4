"""Scopes of API tokens, and who may issue a token with them. Pure."""

from __future__ import annotations

import enum
from datetime import timedelta

from auth.staff.roles import Action, Authority, may

SHORTEST_LIFE, USUAL_LIFE, LONGEST_LIFE = timedelta(days=1), timedelta(days=365), timedelta(days=731)


class Scope(enum.StrEnum):
    """A permission of a token. Each route of the API requires one."""

    READ = "passes:read"
    ISSUE = "passes:issue"
    REPLACE = "passes:replace"
    REVOKE = "passes:revoke"
    READ_RECORDS = "records:read"
    WRITE_RECORDS = "records:write"


def may_hand_out(authority: Authority, networks: frozenset[str]) -> bool:
    """Whether somebody may make, see and revoke a token of these networks (none named: all): never more than they
    have themselves."""
    if not may(authority, Action.TOKENS):
        return False
    return not authority.networks or (bool(networks) and networks <= authority.networks)
