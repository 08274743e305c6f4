"""Which tests run on SQLite alone, unless ALL_TWINS is set as `make test-all` does.

What these modules ask is what a page, a command or a file says: the portal's code above the services has no SQL that
differs between databases. The services that it calls have it, and their own tests in tests/auth, tests/sessions,
tests/ads and tests/db run on both, as do the journeys of guests and staff that are not named here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

ON_ONE_DATABASE = (
    "tests/portal/test_refusals.py",
    "tests/portal/test_passes_commands.py",
    "tests/portal/test_report_command.py",
    "tests/portal/test_sheets.py",
    "tests/portal/test_stencils.py",
    "tests/portal/test_yours.py",
    "tests/portal/api/test_tokens.py",
    "tests/portal/staff/test_accounts.py",
    "tests/portal/staff/test_matrix.py",
    "tests/portal/staff/test_printing.py",
    "tests/portal/staff/test_reports.py",
    "tests/portal/staff/test_signed_in.py",
    "tests/portal/staff/test_tokens.py",
)


def spare(items: list[pytest.Item]) -> list[pytest.Item]:
    """Take the PostgreSQL twins of these modules out of `items`; gives what was taken out."""
    if os.environ.get("ALL_TWINS"):
        return []
    spared = [item for item in items if item.nodeid.startswith(ON_ONE_DATABASE) and _is_twin(item)]
    items[:] = _without(items, spared)
    return spared


def _is_twin(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    return case is not None and case.params.get("database_url") == "postgresql"


def _without(items: list[pytest.Item], spared: Iterable[pytest.Item]) -> list[pytest.Item]:
    known = set(spared)
    return [item for item in items if item not in known]
