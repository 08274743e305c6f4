"""The accessibility declaration claims nothing that no audit has shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from portal.guest.accessibility import conformity
from tests.portal.speaking import speaking

AUDIT = "2026-03-01"


@pytest.fixture
def french() -> Iterator[None]:
    with speaking("fr"):
        yield


@pytest.mark.parametrize("audited_on", [None, "", "soon", "2026-13-01", "2026-12-25", "2023-11-24"])
@pytest.mark.usefixtures("french")
def test_without_an_audit_that_holds_it_is_not_compliant(audited_on: str | None) -> None:
    state = conformity(audited_on, today=date(2026, 11, 24))
    assert state.mention == "Accessibilité\u00a0: non conforme"
    assert state.audited_on is None


@pytest.mark.parametrize("today", [date(2026, 3, 1), date(2029, 2, 28)])
@pytest.mark.usefixtures("french")
def test_an_audit_holds_for_three_years(today: date) -> None:
    assert conformity(AUDIT, today=today).mention == "Accessibilité\u00a0: partiellement conforme"


@pytest.mark.usefixtures("french")
def test_an_audit_on_a_leap_day_holds_until_march() -> None:
    assert conformity("2024-02-29", today=date(2027, 2, 28)).is_partial
    assert not conformity("2024-02-29", today=date(2027, 3, 1)).is_partial
