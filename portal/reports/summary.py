"""The first page: some sentences, four numbers, and the comparison with the period before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from portal.i18n.translation import clock_time, say, say_number
from portal.reports import numbers
from portal.reports.document import Block, KeyFigure, KeyFigures, Paragraph, Section, Table
from sessions.statistics.calendar import span_of
from sessions.statistics.definitions import AT_ONCE_EVERY
from sessions.statistics.report import Part, Report
from sessions.statistics.suppression import Disclosure


def summary(report: Report, town: str) -> Section:
    blocks: list[Block] = [Paragraph(text) for text in sentences(report, town)]
    if is_told(report):
        blocks += [KeyFigures(_key_figures(report)), _comparison(report)]
    return Section("summary", say("Summary"), blocks)


def is_told(report: Report) -> bool:
    """Whether there is anything to tell: figures, of enough devices."""
    return bool(report.whole.now.sessions) and report.whole.shown is Disclosure.OPENLY


def sentences(report: Report, town: str) -> list[str]:
    """What a reader should take along, in the order of its weight."""
    when = _when(report)
    if not report.days_made:
        return [say("%(When)s: there are no figures yet.", When=when)]
    if not report.whole.now.sessions:
        return [say("%(When)s, nobody used the wifi.", When=when)]
    if not is_told(report):
        return [say("%(When)s, too few devices came for their figures to be shown.", When=when)]
    return [_use(report, town, when), _busiest(report), _quality(report)]


def so_far(report: Report) -> str:
    """How much of the period has its figures; nothing where all of it has."""
    if report.is_complete or not report.days_made:
        return ""
    made, days = numbers.count(report.days_made), numbers.count(report.period.days)
    if report.spans.known.last < report.period.last:
        return say("%(made)s of %(days)s days so far", made=made, days=days)
    return say("%(made)s of %(days)s days", made=made, days=days)


def captioned(title: str, report: Report) -> str:
    """The title of a table, with what holds for all of it: that the period is not over, that its changes are by day."""
    by_day = say("compared by day") if report.is_comparable and report.days_ratio != 1 else ""
    return " · ".join(filter(None, (title, so_far(report), by_day)))


def _when(report: Report) -> str:
    when = numbers.opening(numbers.when(report.period))
    if not so_far(report):
        return when
    return say(
        "%(When)s, not complete (figures from %(first)s to %(last)s: %(so_far)s)",
        When=when,
        first=numbers.day(report.spans.known.first),
        last=numbers.day(report.spans.known.last),
        so_far=so_far(report),
    )


def mean_devices(devices: Mapping[date, int]) -> int | None:
    """Unique devices of a month, in the mean of the months."""
    return round(sum(devices.values()) / len(devices)) if devices else None


def _use(report: Report, town: str, when: str) -> str:
    now, before = report.whole.now, report.whole.before
    said = say(
        "%(When)s, the wifi of %(town)s was used for %(sessions)s sessions at %(places)s, "
        "%(hours)s hours online in all.",
        When=when,
        town=town,
        sessions=numbers.count(now.sessions),
        places=say_number("%(n)s place", "%(n)s places", report.sites_in_service),
        hours=numbers.count(round(now.connected_seconds / 3600)),
    )
    if not report.is_comparable or not before.sessions:
        return said + " " + say("There is no complete period before it to compare with.")
    change = numbers.change_a_day(now.sessions, before.sessions, report.days_ratio)
    span = numbers.span(report.spans.before)
    if report.days_ratio != 1:
        return said + " " + say("That is %(change)s a day against %(before)s.", change=change, before=span)
    return (
        said
        + " "
        + say(
            "That is %(change)s against the same number of days before (%(before)s).",
            change=change,
            before=span,
        )
    )


def _busiest(report: Report) -> str:
    peak, day, mark = report.whole.now.peak
    if day is None:
        return say("No two devices were ever online at once.")
    at = span_of(day, report.zone).start + mark * AT_ONCE_EVERY
    hour = max(range(24), key=lambda number: report.whole.now.hour_sessions[number])
    return say(
        "Most devices were online on %(day)s at %(time)s: %(peak)s at once. Most sessions begin between %(hour)s and "
        "%(after)s o’clock.",
        day=numbers.weekday_and_day(at.astimezone(ZoneInfo(report.zone)).date()),
        time=clock_time(at, report.zone),
        peak=numbers.count(peak),
        hour=hour,
        after=hour + 1,
    )


def _quality(report: Report) -> str:
    now = report.whole.now
    if now.median_kbps is None or now.availability is None:
        return say("Too little was measured to speak of its quality.")
    return say(
        "The gateways were heard for %(availability)s of the opening hours. Half of the sessions measured reached "
        "%(median)s or more; %(share)s of them reached the %(wanted)s that the town wants for everybody.",
        availability=numbers.availability(now.availability),
        median=numbers.rate(now.median_kbps),
        share=numbers.percent(now.reached, 0),
        wanted=numbers.rate(now.wanted_kbps),
    )


def _key_figures(report: Report) -> list[KeyFigure]:
    now = report.whole.now
    measures = measured(report.whole, report.days_ratio)
    names = [say("sessions in all"), say("unique devices a month"), say("volume"), say("availability")]
    values = [
        numbers.count(now.sessions),
        measures[2][1],
        numbers.amount(now.volume),
        numbers.availability(now.availability),
    ]
    changes = ["", "", "", ""]
    if report.is_comparable:
        changes = [
            _against(measures[0][3], report),
            _against(measures[2][3], report),
            _against(measures[5][3], report),
            "",
        ]
        if report.days_ratio != 1 and changes[1]:
            # Devices of a month do not add up over days: the months are compared as they are.
            changes[1] = say("%(change)s against the month before", change=measures[2][3])
    return [
        KeyFigure(value, name, " · ".join(filter(None, (so_far(report), more))))
        for value, name, more in zip(values, names, changes, strict=True)
    ]


def _against(change: str, report: Report) -> str:
    if change == "–":
        return ""
    before = numbers.span(report.spans.before)
    if report.days_ratio != 1:
        return say("%(change)s a day against %(before)s", change=change, before=before)
    return say("%(change)s against %(before)s", change=change, before=before)


def measured(part: Part, days_ratio: float) -> list[tuple[str, str, str, str]]:
    """Name, figure, figure before, change: for every measure of a part that can be compared.

    What adds up over days is compared by day, with `days_ratio` days for each day before.
    """

    def added(now: float, before: float) -> str:
        return numbers.change_a_day(now, before, days_ratio)

    now, before = part.now, part.before
    devices, devices_before = mean_devices(part.devices), mean_devices(part.devices_before)
    return [
        _counted(say("Sessions"), now.sessions, before.sessions, days_ratio),
        _counted(say("Visits"), now.visits, before.visits, days_ratio),
        _counted(say("Unique devices, mean of the months"), devices, devices_before),
        _counted(say("Peak: clients at once"), now.peak[0], before.peak[0]),
        (
            say("Time online"),
            numbers.hours(now.connected_seconds),
            numbers.hours(before.connected_seconds),
            added(now.connected_seconds, before.connected_seconds),
        ),
        (
            say("Volume"),
            numbers.amount(now.volume),
            numbers.amount(before.volume),
            added(now.volume, before.volume),
        ),
        (
            say("Median rate reached"),
            numbers.rate(now.median_kbps),
            numbers.rate(before.median_kbps),
            numbers.change(now.median_kbps or 0, before.median_kbps or 0),
        ),
        (
            say("Rate wanted reached by"),
            numbers.percent(now.reached, 0),
            numbers.percent(before.reached, 0),
            "",
        ),
        (
            say("Availability"),
            numbers.availability(now.availability),
            numbers.availability(before.availability),
            "",
        ),
        (
            say("Outage"),
            numbers.hours(now.outage_seconds),
            numbers.hours(before.outage_seconds),
            added(now.outage_seconds, before.outage_seconds),
        ),
        _counted(
            say("Refused sign-ins"), sum(now.failures.values()), sum(before.failures.values()), days_ratio
        ),
        _counted(say("Accepted messages"), now.ads, before.ads, days_ratio),
    ]


def _counted(
    name: str, now: int | None, before: int | None, days_ratio: float = 1
) -> tuple[str, str, str, str]:
    change = numbers.change_a_day(now or 0, before or 0, days_ratio) if now is not None else "–"
    return name, _or_dash(now), _or_dash(before), change


def _or_dash(number: int | None) -> str:
    return "–" if number is None else numbers.count(number)


def _comparison(report: Report) -> Table:
    head = [say("Measure"), numbers.span(report.spans.known)]
    rows = [list(row) for row in measured(report.whole, report.days_ratio)]
    if report.is_comparable:
        head += [numbers.span(report.spans.before), say("Compared")]
    else:
        rows = [row[:2] for row in rows]
    caption = captioned(say("All networks and places together"), report)
    return Table(caption, head, rows)
