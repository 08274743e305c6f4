"""The first page: some sentences, four numbers, and the comparison with the period before."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from portal.i18n.translation import clock_time, say, say_number
from portal.reports import numbers
from portal.reports.document import Block, KeyFigure, KeyFigures, Paragraph, Section, Table
from portal.reports.measures import Comparing, Measure, compared, measures
from sessions.statistics.calendar import span_of
from sessions.statistics.definitions import AT_ONCE_EVERY
from sessions.statistics.report import Report
from sessions.statistics.suppression import Disclosure

# Where `Part.stretches` holds the same days a year before.
YEAR_BEFORE = 2


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
    by_day = say("compared by day") if any(ratio != 1 for _, ratio, _ in compared(report)) else ""
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


def _use(report: Report, town: str, when: str) -> str:
    now = report.whole.now
    said = say(
        "%(When)s, the wifi of %(town)s was used for %(sessions)s sessions at %(places)s, "
        "%(hours)s hours online in all.",
        When=when,
        town=town,
        sessions=numbers.count(now.sessions),
        places=say_number("%(n)s place", "%(n)s places", report.sites_in_service),
        hours=numbers.count(round(now.connected_seconds / 3600)),
    )
    found = [_change(report, *one) for one in compared(report) if report.whole.stretches[one[0]][0].sessions]
    return " ".join([said, *(found or [say("There is no complete period before it to compare with.")])])


def _change(report: Report, stretch: int, ratio: float, words: str) -> str:
    """How the sessions have changed since one of the stretches that they are compared with."""
    sessions = report.whole.stretches[stretch][0].sessions
    change = numbers.change_a_day(report.whole.now.sessions, sessions, ratio)
    if ratio != 1:
        return say("That is %(change)s a day against %(before)s.", change=change, before=words)
    if stretch == YEAR_BEFORE:
        return say(
            "That is %(change)s against the same days a year before (%(before)s).",
            change=change,
            before=words,
        )
    return say(
        "That is %(change)s against the same number of days before (%(before)s).",
        change=change,
        before=words,
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
    found = measures(report.whole)
    chosen = [
        (say("sessions in all"), found[0]),
        (say("unique devices a month"), found[2]),
        (say("volume"), found[5]),
        (say("availability"), found[8]),
    ]
    return [
        KeyFigure(
            measure.text(), name, " · ".join(filter(None, (so_far(report), *_against(measure, report))))
        )
        for name, measure in chosen
    ]


def _against(measure: Measure, report: Report) -> Iterator[str]:
    for stretch, ratio, before in compared(report):
        change = measure.change(stretch, ratio)
        if change in ("", "–"):
            continue
        if stretch == YEAR_BEFORE:
            yield say("%(change)s against a year before (%(before)s)", change=change, before=before)
        elif ratio != 1 and measure.comparing is Comparing.BY_DAY:
            yield say("%(change)s a day against %(before)s", change=change, before=before)
        else:
            # Devices of a month do not add up over days: the months are compared as they are.
            yield say("%(change)s against %(before)s", change=change, before=before)


def _comparison(report: Report) -> Table:
    found, stretches = measures(report.whole), compared(report)
    head = [say("Measure"), numbers.span(report.spans.known)]
    for _, _, before in stretches:
        head += [before, say("Compared")]
    rows = []
    for measure in found:
        cells = [measure.name, measure.text()]
        for stretch, ratio, _ in stretches:
            cells += [measure.text(stretch), measure.change(stretch, ratio)]
        rows.append(cells)
    return Table(captioned(say("All networks and places together"), report), head, rows)
