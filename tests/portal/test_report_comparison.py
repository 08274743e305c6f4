"""What a report says of the period before, of the year before, and of days that are not over: in words and drawings."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask, g

from portal.reports import definition_words, summary, time_charts
from portal.reports.charts import Bar, bars
from portal.reports.document import Chart, KeyFigures, Paragraph, Table
from sessions.statistics.calendar import days_between
from sessions.statistics.periods import Period
from sessions.statistics.report import Part, Report
from sessions.statistics.spans import Spans, Stretch, UsedDefinitions
from sessions.statistics.tally import Tally

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
# On 28 November.
KNOWN = Period(date(2026, 11, 1), date(2026, 11, 25))


@pytest.fixture(autouse=True)
def in_english(app: Flask) -> Iterator[None]:
    with app.test_request_context("/staff/reports"):
        g.language = "en"
        yield


def tally(period: Period, a_day: int, **fields: object) -> Tally:
    days = list(days_between(period.first, period.last))
    found = Tally(
        sessions=a_day * len(days),
        visits=a_day * len(days),
        most_devices=a_day,
        connected_seconds=3600 * len(days),
        expected_seconds=86_400 * len(days),
        by_day=defaultdict(int, dict.fromkeys(days, a_day)),
        expected_by_day=defaultdict(int, dict.fromkeys(days, 86_400)),
        hour_sessions=[a_day] * 24,
    )
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def make_report(period: Period = NOVEMBER, known: Period = KNOWN, **fields: object) -> Report:
    """Twelve sessions a day now, ten a day in the stretch before, eight a day a year before."""
    before, year_before = period.before(known), known.year_before(within=period)
    return Report(
        period=period,
        spans=Spans(known, known.days, Stretch(before, before.days), Stretch(year_before, year_before.days)),
        whole=Part(
            "",
            "",
            now=tally(known, 12, **fields),
            before=tally(before, 10),
            year_before=tally(year_before, 8),
        ),
        networks=[],
        definitions=[],
        digest="",
        last_made=known.last,
        zone="Europe/Paris",
        sites_in_service=1,
    )


def first_chart(report: Report) -> Chart:
    chart = time_charts.time(report).blocks[0]
    assert isinstance(chart, Chart)
    return chart


def test_both_are_told_in_the_first_sentences_at_the_numbers_and_in_the_table() -> None:
    section = summary.summary(make_report(), "Besançon")
    first, figures, table = section.blocks[0], section.blocks[-2], section.blocks[-1]
    assert isinstance(first, Paragraph) and isinstance(figures, KeyFigures) and isinstance(table, Table)
    assert "That is +20\u00a0% against the same number of days before (1–25 October 2026)." in first.text
    assert "That is +50\u00a0% against the same days a year before (1–25 November 2025)." in first.text
    assert figures.figures[0].change == (
        "25 of 30 days so far · +20\u00a0% against 1–25 October 2026 · "
        "+50\u00a0% against a year before (1–25 November 2025)"
    )
    assert table.head[1:] == [
        *("1–25 November 2026", "1–25 October 2026", "Compared", "1–25 November 2025", "Compared")
    ]
    assert table.rows[0] == ["Sessions", "300", "250", "+20\u00a0%", "200", "+50\u00a0%"]


def test_what_too_few_devices_made_is_not_compared_with() -> None:
    report = make_report()
    report.whole.year_before.most_devices = 3
    table = summary.summary(report, "Besançon").blocks[-1]
    assert isinstance(table, Table) and len(table.head) == 4


def test_a_year_that_lacks_a_day_is_not_compared_with() -> None:
    report = make_report()
    year_before = report.spans.year_before.period
    report.spans = Spans(report.spans.known, 25, report.spans.before, Stretch(year_before, 24))
    section = summary.summary(report, "Besançon")
    text = section.blocks[0].text if isinstance(section.blocks[0], Paragraph) else ""
    assert "October 2026" in text and "2025" not in text
    assert 'class="earlier"' not in first_chart(report).svg


def test_of_a_whole_year_the_year_before_is_told_once() -> None:
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    section = summary.summary(make_report(year, year), "Besançon")
    table = section.blocks[-1]
    assert isinstance(table, Table) and len(table.head) == 4
    chart = first_chart(make_report(year, year))
    assert chart.table.head == ["Month", "Sessions", "A year before"]
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    assert [row[2] for row in chart.table.rows] == [str(10 * days) for days in lengths]


def test_a_month_that_is_not_over_is_drawn_to_its_end() -> None:
    chart = first_chart(make_report())
    assert chart.svg.count('class="bar open"') == 5
    assert [row[1] for row in chart.table.rows][-6:] == ["12", "–", "–", "–", "–", "–"]
    assert "25 of 30 days so far" in chart.table.caption
    assert "(in outline: not complete, or no figures yet)" in chart.table.caption
    assert chart.svg.count('class="earlier"') == 25
    others = [block for block in time_charts.time(make_report()).blocks if isinstance(block, Chart)]
    assert all("25 of 30 days so far" in one.table.caption for one in others)


def test_outages_and_closures_stand_on_the_axis() -> None:
    bad, closed = date(2026, 11, 4), date(2026, 11, 11)
    chart = first_chart(
        make_report(outage_by_day=defaultdict(int, {bad: 8_640}), closed_by_day=Counter({closed: 3}))
    )
    assert chart.svg.count('class="outage"') == chart.svg.count('class="closure"') == 1
    rows = {row[0]: row[3:] for row in chart.table.rows}
    assert chart.table.head[3:] == ["Availability", "Places closed"]
    assert rows["Wed 4 Nov"] == ["90.00\u00a0%", ""] and rows["Wed 11 Nov"] == ["", "3"]
    # Of a year, the months are marked.
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    chart = first_chart(
        make_report(
            year, year, outage_by_day=defaultdict(int, {bad: 86_400}), closed_by_day=Counter({closed: 3})
        )
    )
    assert [row[3:] for row in chart.table.rows][10] == ["96.66\u00a0%", "3"]
    assert chart.svg.count('class="outage"') == 1


def test_a_place_is_closed_where_it_is_usually_open() -> None:
    """A library that is shut on Mondays, on the first of May, and for one Tuesday."""
    place = Tally()
    for day in days_between(date(2026, 5, 1), date(2026, 5, 31)):
        is_shut = day.weekday() == 0 or day in (date(2026, 5, 1), date(2026, 5, 12))
        place.expected_by_day[day] = 0 if is_shut else 28_800
    place.note_closures()
    assert dict(place.closed_by_day) == {date(2026, 5, 1): 1, date(2026, 5, 12): 1}


def test_days_counted_by_other_definitions_are_named() -> None:
    report = make_report()
    report.definitions = [
        UsedDefinitions("2026-1", date(2025, 11, 1), date(2026, 10, 31), 50),
        UsedDefinitions("2026-2", date(2026, 11, 1), date(2026, 11, 25), 25),
    ]
    texts = [block.text for block in definition_words.method(report).blocks if isinstance(block, Paragraph)]
    assert "By version 2026-1: 50 days, from 1 November 2025 to 31 October 2026." in texts
    assert any("Since version 2026-2 of the definitions, a device that goes on" in text for text in texts)
    report.definitions = report.definitions[1:]
    texts = [block.text for block in definition_words.method(report).blocks if isinstance(block, Paragraph)]
    assert not any("Since version" in text for text in texts)


def test_a_bar_that_is_less_than_a_year_before_stays_in_the_drawing() -> None:
    drawn = bars([Bar("1", 5, "5", earlier=10), Bar("2", 8, "8", has_outage=True, has_closure=True)], alt="")
    heights = [float(found) for found in re.findall(r' height="([0-9.]+)"', drawn)]
    assert max(heights) < 174 and 'y1="26.0"' in drawn
