"""The numbers of a report as bytes, and back: canonical JSON, so that equal reports are equal bytes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import fields
from datetime import date
from typing import Any

from sessions.statistics.periods import Period
from sessions.statistics.report import NetworkPart, Part, Report
from sessions.statistics.spans import Spans, Stretch, UsedDefinitions
from sessions.statistics.suppression import Disclosure
from sessions.statistics.tally import Tally

# What is written: a report kept in another form is computed anew, and a signed one is read by its own number.
FORMAT = 1
_BY_DATE = ("by_day", "expected_by_day", "outage_by_day", "closed_by_day")
_COUNTED = ("methods", "failures", "closed_by_day")
# Left empty once a tally is settled.
_WORKED_WITH = ("at_once", "visits_by_month")
_PLAIN = [one.name for one in fields(Tally) if one.name not in (*_BY_DATE, *_COUNTED, *_WORKED_WITH, "peak")]


class UnknownFormat(ValueError):
    """These bytes were written by another version of the program."""


def write(report: Report) -> bytes:
    """The report as JSON with sorted keys (UTF-8)."""
    spans = report.spans
    document = {
        "format": FORMAT,
        "period": _of_period(report.period),
        "known": _of_period(spans.known),
        "made": spans.made,
        "before": [_of_period(spans.before.period), spans.before.made],
        "year_before": [_of_period(spans.year_before.period), spans.year_before.made],
        "definitions": [
            [one.version, one.first.isoformat(), one.last.isoformat(), one.days] for one in report.definitions
        ],
        "digest": report.digest,
        "last_made": report.last_made and report.last_made.isoformat(),
        "zone": report.zone,
        "sites_in_service": report.sites_in_service,
        "whole": _of_part(report.whole),
        "networks": [[_of_part(one.whole), list(map(_of_part, one.sites))] for one in report.networks],
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read(written: bytes) -> Report:
    """The report that `write` wrote. Raises `UnknownFormat`."""
    document = json.loads(written)
    if document.get("format") != FORMAT:
        raise UnknownFormat(document.get("format"))
    return Report(
        period=_period(document["period"]),
        spans=Spans(
            _period(document["known"]),
            document["made"],
            _stretch(document["before"]),
            _stretch(document["year_before"]),
        ),
        whole=_part(document["whole"]),
        networks=[
            NetworkPart(_part(whole), list(map(_part, sites))) for whole, sites in document["networks"]
        ],
        definitions=[
            UsedDefinitions(version, date.fromisoformat(first), date.fromisoformat(last), days)
            for version, first, last, days in document["definitions"]
        ],
        digest=document["digest"],
        last_made=document["last_made"] and date.fromisoformat(document["last_made"]),
        zone=document["zone"],
        sites_in_service=document["sites_in_service"],
    )


def _of_period(period: Period) -> list[str]:
    return [period.first.isoformat(), period.last.isoformat()]


def _period(written: list[str]) -> Period:
    return Period(*map(date.fromisoformat, written))


def _stretch(written: list[Any]) -> Stretch:
    return Stretch(_period(written[0]), written[1])


def _of_part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "slug": part.slug,
        "shown": part.shown.name,
        "stretches": [[_of_tally(tally), _by_date(devices)] for tally, devices in part.stretches],
    }


def _part(written: dict[str, Any]) -> Part:
    (now, devices), (before, devices_before), (year_before, devices_year_before) = (
        (_tally(tally), _dated(devices)) for tally, devices in written["stretches"]
    )
    return Part(
        written["name"],
        written["slug"],
        now=now,
        before=before,
        year_before=year_before,
        devices=devices,
        devices_before=devices_before,
        devices_year_before=devices_year_before,
        shown=Disclosure[written["shown"]],
    )


def _of_tally(tally: Tally) -> dict[str, Any]:
    most, day, mark = tally.peak
    return {
        **{name: getattr(tally, name) for name in (*_PLAIN, "methods", "failures")},
        **{name: _by_date(getattr(tally, name)) for name in _BY_DATE},
        "peak": [most, day and day.isoformat(), mark],
    }


def _tally(written: dict[str, Any]) -> Tally:
    tally = Tally(**{name: written[name] for name in _PLAIN})
    for name in _COUNTED:
        setattr(tally, name, Counter(_dated(written[name]) if name in _BY_DATE else written[name]))
    for name in ("by_day", "expected_by_day", "outage_by_day"):
        setattr(tally, name, defaultdict(int, _dated(written[name])))
    most, day, mark = written["peak"]
    tally.peak = (most, date.fromisoformat(day) if day else None, mark)
    return tally


def _by_date(numbers: dict[date, int]) -> dict[str, int]:
    return {day.isoformat(): number for day, number in numbers.items()}


def _dated(numbers: dict[str, int]) -> dict[date, int]:
    return {date.fromisoformat(day): number for day, number in numbers.items()}
