"""When the network was used: drawings with their numbers, and what the axis says of outages, closures, and of days
that have no figures yet. Small counts are masked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.i18n.translation import say
from portal.reports import numbers
from portal.reports.charts import Bar, bars
from portal.reports.document import Chart, Section, Table
from portal.reports.numbers import masked
from portal.reports.summary import captioned
from sessions.statistics.calendar import DAY, days_between, first_of_month
from sessions.statistics.report import Report
from sessions.statistics.suppression import Disclosure, Protected, is_small, protect
from sessions.statistics.tally import Tally

# Longer periods are drawn month by month.
MOST_DAYS_DRAWN = 62
# A day or month in which the gateways were heard for less of the opening hours than this is marked under its bar.
MARKED_AVAILABILITY = 0.99


@dataclass(frozen=True, slots=True)
class Item:
    """One bar and one line of the table. `count` None: no figures yet. `earlier` is the count of a year before."""

    name: str
    label: str
    count: int | None
    earlier: int | None = None
    availability: float | None = None
    places_closed: int = 0
    is_open: bool = False

    @property
    def has_outage(self) -> bool:
        return self.availability is not None and self.availability < MARKED_AVAILABILITY


def time(report: Report) -> Section:
    """By day or month, weekday and hour."""
    first = _by_month(report) if report.period.days > MOST_DAYS_DRAWN else _by_day(report)
    return Section("time", say("When it was used"), [first, _by_weekday(report), _by_hour(report)])


def year_ago(report: Report) -> Tally | None:
    """The same days a year before, where all of them have their figures."""
    if not report.spans.year_before.is_made:
        return None
    stretch = 1 if report.spans.year_before == report.spans.before else 2
    return None if is_small(report.whole.at_least(stretch)) else report.whole.stretches[stretch][0]


def _by_month(report: Report) -> Chart:
    now, ago = report.whole.now, year_ago(report)
    counts, earlier = now.by_month(), ago.by_month() if ago else {}
    closed: Counter[date] = Counter()
    for day, places in now.closed_by_day.items():
        closed[first_of_month(day)] += places
    items = [
        Item(
            _month_name(month, report),
            numbers.short_month(month),
            counts.get(month),
            earlier.get(month.replace(year=month.year - 1)) if ago else None,
            now.availability_in(month),
            closed[month],
            is_open=not report.spans.known.holds(month) and not report.is_complete,
        )
        for month in report.period.months
    ]
    best = max(items, key=lambda item: item.count or 0)
    title = say("Most sessions in %(month)s: %(n)s", month=best.name, n=numbers.count(best.count or 0))
    return _chart(title, captioned(say("Sessions by month"), report), say("Month"), items)


def _month_name(month: date, report: Report) -> str:
    """A month that the figures do not reach to the end of is marked."""
    if report.spans.known.holds(month) or report.is_complete:
        return numbers.month(month)
    return say("%(month)s, not complete", month=numbers.month(month))


def _by_day(report: Report) -> Chart:
    now, ago, known = report.whole.now, year_ago(report), report.spans.known
    days = list(days_between(report.period.first, report.period.last))
    items = [
        Item(
            numbers.short_day(day),
            str(day.day) if _is_labelled(day, days) else "",
            now.by_day.get(day, 0) if known.first <= day <= known.last else None,
            _a_year_before(day, report, ago),
            now.availability_on(day),
            now.closed_by_day.get(day, 0),
            is_open=not known.first <= day <= known.last,
        )
        for day in days
    ]
    best = max(days, key=lambda day: now.by_day.get(day, 0))
    title = say(
        "The busiest day was %(day)s: %(n)s sessions",
        day=numbers.weekday_and_day(best),
        n=numbers.count(now.by_day.get(best, 0)),
    )
    return _chart(title, captioned(say("Sessions by day"), report), say("Day"), items)


def _a_year_before(day: date, report: Report, ago: Tally | None) -> int | None:
    """The sessions of the day that has the same place in the stretch of the year before."""
    stretch = report.spans.year_before.period
    then = stretch.first + (day - report.spans.known.first)
    return ago.by_day.get(then, 0) if ago and stretch.first <= then <= stretch.last else None


def _is_labelled(day: date, days: Sequence[date]) -> bool:
    return len(days) <= 31 or day.day in (1, 5, 10, 15, 20, 25)


def _by_weekday(report: Report) -> Chart:
    counts = report.whole.now.by_weekday()
    known = report.spans.known
    many = Counter((known.first + number * DAY).weekday() for number in range(known.days))
    means = [round(n / max(1, many[number])) for number, n in enumerate(counts)]
    best = max(range(7), key=lambda number: means[number])
    items = [
        Item(numbers.opening(numbers.weekday(number)), numbers.weekday(number, "short"), means[number])
        for number in range(7)
    ]
    title = numbers.opening(say("%(day)s is the busiest day of the week", day=numbers.weekday(best)))
    return _chart(title, captioned(say("Sessions of a mean day, by weekday"), report), say("Weekday"), items)


def _by_hour(report: Report) -> Chart:
    counts = report.whole.now.hour_sessions
    best = max(range(24), key=lambda hour: counts[hour])
    items = [
        Item(say("%(hour)s to %(after)s o’clock", hour=hour, after=hour + 1), str(hour), counts[hour])
        for hour in range(24)
    ]
    title = say("The busiest hour is from %(hour)s to %(after)s o’clock", hour=best, after=best + 1)
    return _chart(
        title, captioned(say("Sessions by the hour in which they began"), report), say("Hour"), items
    )


def _chart(title: str, caption: str, of: str, items: Sequence[Item]) -> Chart:
    """A chart and its twin, a table."""
    shown = protect({number: item.count or 0 for number, item in enumerate(items)})
    earlier = protect({number: item.earlier or 0 for number, item in enumerate(items)})
    drawn = [_bar(item, shown[number], earlier[number]) for number, item in enumerate(items)]
    alt = say(
        "Bar chart: %(caption)s. %(title)s. The same numbers stand in the table below.",
        caption=caption,
        title=title,
    )
    return Chart(
        title,
        bars(drawn, alt=alt),
        alt,
        _table(" ".join([caption, *_legend(items)]), of, items, shown, earlier),
    )


def _bar(item: Item, shown: Disclosure, earlier: Disclosure) -> Bar:
    return Bar(
        item.label,
        item.count if shown is Disclosure.OPENLY else None,
        _count(shown, item.count) if item.count else "",
        has_outage=item.has_outage,
        has_closure=bool(item.places_closed),
        earlier=item.earlier if earlier is Disclosure.OPENLY else None,
        is_open=item.is_open,
    )


def _legend(items: Sequence[Item]) -> list[str]:
    """What the marks of the drawing mean; nothing of those that it does not have."""
    found = []
    if any(item.is_open for item in items):
        found.append(say("(in outline: not complete, or no figures yet)"))
    if any(item.earlier for item in items):
        found.append(say("(line: a year before)"))
    if any(item.has_outage for item in items):
        least = numbers.percent(MARKED_AVAILABILITY, 0)
        found.append(say("(▲ availability under %(least)s, all gateways together)", least=least))
    if any(item.places_closed for item in items):
        found.append(say("(■ places closed on a day of the week on which they are usually open)"))
    return found


def _table(
    caption: str, of: str, items: Sequence[Item], shown: Protected[int], earlier: Protected[int]
) -> Table:
    columns = [(say("Sessions"), [_count(shown[number], item.count) for number, item in enumerate(items)])]
    if any(item.earlier is not None for item in items):
        texts = [_count(earlier[number], item.earlier) for number, item in enumerate(items)]
        columns.append((say("A year before"), texts))
    if any(item.has_outage for item in items):
        texts = [numbers.availability(item.availability) if item.has_outage else "" for item in items]
        columns.append((say("Availability"), texts))
    if any(item.places_closed for item in items):
        texts = [numbers.count(item.places_closed) if item.places_closed else "" for item in items]
        columns.append((say("Places closed"), texts))
    rows = [[item.name, *cells] for item, *cells in zip(items, *(texts for _, texts in columns), strict=True)]
    return Table(caption, [of, *(head for head, _ in columns)], rows)


def _count(shown: Disclosure, n: int | None) -> str:
    return "–" if n is None else masked(shown, numbers.count(n))
