"""The report as open data: one line for each measure of each part, in a table that needs no explanation but this one.

Small counts stand as ``<5`` and what is withheld for their sake as ``n/d``; both in `shown` too, so that a program can
tell them from numbers. Names of columns and measures are English and stable; units are in `unit`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessions.statistics import definitions
from sessions.statistics.report import Part, Report
from sessions.statistics.suppression import Disclosure, Protected, protect
from sites.import_export.rows import Cell
from sites.import_export.tables import write_table

LICENCE = "Licence Ouverte / Open Licence 2.0 (Etalab)"
COLUMNS = (
    *("period_first", "period_last", "scope", "network", "place", "measure", "key", "value", "unit", "shown"),
    *("definitions", "licence"),
)
_WORDS = {Disclosure.OPENLY: "yes", Disclosure.SMALL: "small", Disclosure.WITHHELD: "withheld"}
_STANDS_FOR = {Disclosure.SMALL: f"<{definitions.FEWEST_SHOWN}", Disclosure.WITHHELD: "n/d"}
Line = tuple[str, str, float | int | None, str, Disclosure]


def write(report: Report) -> bytes:
    """The table as CSV (RFC 4180), UTF-8."""
    return write_table(COLUMNS, list(_rows(report)))


def _rows(report: Report) -> Iterator[dict[str, Cell]]:
    whole = report.whole
    for line in (*_of_part(whole), *_of_time(report), *_of_refusals(report)):
        yield _row(report, "all", "", "", line)
    for network in report.networks:
        for line in _of_part(network.whole):
            yield _row(report, "network", network.whole.slug, "", line)
        for site in network.sites:
            for line in _of_part(site):
                yield _row(report, "place", network.whole.slug, site.slug, line)


def _of_part(part: Part) -> Iterator[Line]:
    now, shown = part.now, part.shown
    others = Disclosure.OPENLY if shown is Disclosure.OPENLY else Disclosure.WITHHELD
    for month, devices in sorted(part.devices.items()):
        yield "unique_devices", f"{month:%Y-%m}", devices, "devices", shown
    yield "sessions", "", now.sessions, "sessions", others
    yield "visits", "", now.visits, "visits", others
    yield "peak_at_once", "", now.peak[0], "devices", others
    yield "time_online", "", now.connected_seconds, "s", others
    yield "bytes_down", "", now.bytes_down, "B", others
    yield "bytes_up", "", now.bytes_up, "B", others
    yield "median_rate_reached", "", now.median_kbps, "kbit/s", others
    yield "share_at_rate_wanted", "", _rounded(now.reached), "1", others
    yield "accepted_messages", "", now.ads, "messages", others
    yield "open_time", "", now.expected_seconds, "s", Disclosure.OPENLY
    yield "outage_time", "", now.outage_seconds, "s", Disclosure.OPENLY
    yield "availability", "", _rounded(now.availability), "1", Disclosure.OPENLY


def _of_time(report: Report) -> Iterator[Line]:
    """By day, weekday and hour; only of everything together."""
    now = report.whole.now
    series = {
        "sessions_by_day": {day.isoformat(): n for day, n in sorted(now.by_day.items())},
        "sessions_by_weekday": {str(number + 1): n for number, n in enumerate(now.by_weekday())},
        "sessions_by_hour": {f"{hour:02}": n for hour, n in enumerate(now.hour_sessions)},
        "sessions_by_way": dict(sorted(now.methods.items())),
    }
    for measure, counts in series.items():
        protected = protect(counts)
        for key, n in counts.items():
            yield measure, key, n, "sessions", _seen(report, protected, key)


def _of_refusals(report: Report) -> Iterator[Line]:
    failures = dict(sorted(report.whole.now.failures.items()))
    protected = protect(failures)
    for rule, n in failures.items():
        yield "refusals", rule, n, "refusals", _seen(report, protected, rule)


def _seen(report: Report, protected: Protected[str], key: str) -> Disclosure:
    return protected[key] if report.whole.shown is Disclosure.OPENLY else Disclosure.WITHHELD


def _row(report: Report, scope: str, network: str, place: str, line: Line) -> dict[str, Cell]:
    measure, key, value, unit, shown = line
    return {
        "period_first": report.period.first.isoformat(),
        "period_last": report.period.last.isoformat(),
        "scope": scope,
        "network": network,
        "place": place,
        "measure": measure,
        "key": key,
        "value": value if shown is Disclosure.OPENLY else _STANDS_FOR[shown],
        "unit": unit,
        "shown": _WORDS[shown],
        "definitions": " ".join(report.versions),
        "licence": LICENCE,
    }


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 6)
