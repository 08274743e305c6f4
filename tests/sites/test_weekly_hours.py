"""Opening hours day by day: as a form shows them, and as one text again."""

from __future__ import annotations

from datetime import date

import pytest

from sites.opening_rules import parse
from sites.weekly_hours import DAYS, as_text, by_day, coming_weeks, span_in_figures


@pytest.mark.parametrize(
    "text",
    [
        "24/7",
        "Mo-Fr 09:00-18:30; Sa 10:00-12:00,14:00-17:00; PH,SH off",
        "Tu 14:00-18:00; Th-Su 22:00-02:00; PH 10:00-12:00; SH 09:00-10:00",
        "Mo-Su off; PH off",
    ],
)
def test_hours_come_back_as_they_were(text: str) -> None:
    days = by_day(text)
    assert days is not None
    for first in (date(2026, 12, 20), date(2027, 4, 26)):
        assert coming_weeks(parse(as_text(days), "A"), first, weeks=4) == coming_weeks(
            parse(text, "A"), first, weeks=4
        )


@pytest.mark.parametrize(
    "text", ["Jul-Aug off", "Sa[1] 09:00-12:00", 'Mo "sur rendez-vous"', "SH Mo-Fr 10:00-12:00", "Mo 9h"]
)
def test_hours_that_need_more_than_days_are_left_as_text(text: str) -> None:
    assert by_day(text) is None


def test_they_are_typed_as_people_write_them() -> None:
    days = {"Mo": "9h-12h30, 14 h à 18 h", "Tu": "09.00–12.30; 14:00-18:00", "We": "fermé", "PH": "Fermé"}
    assert as_text(days) == "Mo-Tu 09:00-12:30,14:00-18:00; PH off"
    assert as_text(dict.fromkeys(DAYS, "") | {"Su": "when we like"}) == "Su when we like"


def test_the_weeks_to_come_begin_on_a_monday_and_know_holidays() -> None:
    weeks = coming_weeks(parse("Mo-Fr 09:00-18:30; PH off"), date(2026, 12, 24), weeks=2)
    assert [len(week) for week in weeks] == [7, 7] and weeks[0][0][0] == date(2026, 12, 21)
    told = {day: [span_in_figures(span) for span in spans] for week in weeks for day, spans in week}
    assert told[date(2026, 12, 24)] == ["09:00-18:30"] and told[date(2026, 12, 25)] == []
