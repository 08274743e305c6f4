"""The sections between the summary and the definitions: time, places, refusals. Small counts are masked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from portal.denials.rendering import report_line
from portal.i18n.translation import say
from portal.reports import numbers
from portal.reports.charts import Bar, bars
from portal.reports.document import Block, Chart, Paragraph, Section, Table
from portal.reports.numbers import masked
from portal.reports.summary import captioned, mean_devices
from sessions.statistics.calendar import days_between
from sessions.statistics.report import NetworkPart, Part, Report
from sessions.statistics.suppression import Disclosure, protect
from sites.models import SigninMethod

# Longer periods are drawn month by month.
MOST_DAYS_DRAWN = 62
# A day on which the gateways were heard for less of the opening hours than this is marked under its bar.
MARKED_AVAILABILITY = 0.99


def time(report: Report) -> Section:
    """When the network was used: by day or month, weekday and hour."""
    months_drawn = report.spans.known.days > MOST_DAYS_DRAWN
    first = _by_month(report) if months_drawn else _by_day(report)
    return Section("time", say("When it was used"), [first, _by_weekday(report), _by_hour(report)])


def networks(report: Report) -> Section:
    """Each network against the others, and how people signed in."""
    head = [say("Network"), *_measure_names()]
    rows = [[network.whole.name, *_measures(network.whole, report)] for network in report.networks]
    title = say("The networks")
    blocks: list[Block] = [Table(captioned(title, report), head, rows), _methods(report)]
    return Section("networks", title, blocks)


def places(network: NetworkPart, report: Report) -> Section:
    """The places of one network."""
    head = [say("Place"), *_measure_names()]
    rows = [[site.name, *_measures(site, report)] for site in network.sites]
    title = say("Places of %(network)s", network=network.whole.name)
    return Section(f"places-{network.whole.slug}", title, [Table(captioned(title, report), head, rows)])


def refusals(report: Report) -> Section:
    """Why people were not let in."""
    failures = report.whole.now.failures
    if not failures:
        text = say("Nobody was refused.") if report.days_made else say("There are no figures yet.")
        return Section("refusals", say("Refused sign-ins"), [Paragraph(text)])
    protected = protect(failures)
    total = sum(failures.values())
    rows = [
        [report_line(rule), _count(protected[rule], n), _share(protected[rule], n, total)]
        for rule, n in sorted(failures.items(), key=lambda one: (-one[1], one[0]))
    ]
    rows.append([say("Together"), _count(protected.total, total), ""])
    text = say(
        "For every hundred sessions there were %(n)s refusals. One person may have met several.",
        n=numbers.decimal(100 * total / max(1, report.whole.now.sessions)),
    )
    head = [say("Reason"), say("Refusals"), say("Share")]
    return Section(
        "refusals", say("Refused sign-ins"), [Paragraph(text), Table(say("Refusals by reason"), head, rows)]
    )


def _by_month(report: Report) -> Chart:
    sessions = report.whole.now.by_month()
    items = [
        (month, _month_name(month, report), numbers.short_month(month), sessions.get(month, 0))
        for month in report.spans.known.months
    ]
    best = max(items, key=lambda item: item[3])
    title = say("Most sessions in %(month)s: %(n)s", month=best[1], n=numbers.count(best[3]))
    return _chart(
        title,
        say("Sessions by month"),
        say("Month"),
        [(name, short, n, "") for _, name, short, n in items],
    )


def _month_name(month: date, report: Report) -> str:
    """A month that the figures do not reach to the end of is marked."""
    known = report.spans.known
    if known.holds(month) or report.is_complete:
        return numbers.month(month)
    return say("%(month)s, not complete", month=numbers.month(month))


def _by_day(report: Report) -> Chart:
    now = report.whole.now
    days = list(days_between(report.spans.known.first, report.spans.known.last))
    items = [
        (
            numbers.short_day(day),
            str(day.day) if _is_labelled(day, days) else "",
            now.by_day.get(day, 0),
            _outage(now.availability_on(day)),
        )
        for day in days
    ]
    best = max(days, key=lambda day: now.by_day.get(day, 0))
    title = say(
        "The busiest day was %(day)s: %(n)s sessions",
        day=numbers.weekday_and_day(best),
        n=numbers.count(now.by_day.get(best, 0)),
    )
    return _chart(title, say("Sessions by day"), say("Day"), items, marks=any(item[3] for item in items))


def _outage(availability: float | None) -> str:
    """What is said of a day whose bar is marked: its availability; nothing of a good one."""
    bad = availability is not None and availability < MARKED_AVAILABILITY
    return numbers.availability(availability) if bad else ""


def _is_labelled(day: date, days: Sequence[date]) -> bool:
    return len(days) <= 31 or day.day in (1, 5, 10, 15, 20, 25)


def _by_weekday(report: Report) -> Chart:
    counts = report.whole.now.by_weekday()
    many = Counter(day.weekday() for day in report.whole.now.by_day)
    means = [round(n / max(1, many[number])) for number, n in enumerate(counts)]
    best = max(range(7), key=lambda number: means[number])
    items = [
        (numbers.opening(numbers.weekday(number)), numbers.weekday(number, "short"), means[number], "")
        for number in range(7)
    ]
    title = numbers.opening(say("%(day)s is the busiest day of the week", day=numbers.weekday(best)))
    return _chart(title, say("Sessions of a mean day, by weekday"), say("Weekday"), items)


def _by_hour(report: Report) -> Chart:
    counts = report.whole.now.hour_sessions
    best = max(range(24), key=lambda hour: counts[hour])
    items = [
        (say("%(hour)s to %(after)s o’clock", hour=hour, after=hour + 1), str(hour), counts[hour], "")
        for hour in range(24)
    ]
    title = say("The busiest hour is from %(hour)s to %(after)s o’clock", hour=best, after=best + 1)
    return _chart(title, say("Sessions by the hour in which they began"), say("Hour"), items)


def _chart(
    title: str, caption: str, of: str, items: Sequence[tuple[str, str, int, str]], *, marks: bool = False
) -> Chart:
    """A chart and its twin, a table. `items` are name, label, count, and the availability where it is marked."""
    protected = protect({number: item[2] for number, item in enumerate(items)})
    drawn = [
        Bar(
            label,
            n if protected[number] is Disclosure.OPENLY else None,
            _count(protected[number], n) if n else "",
            bool(mark),
        )
        for number, (_, label, n, mark) in enumerate(items)
    ]
    head = [of, say("Sessions"), *([say("Availability")] if marks else [])]
    rows = [
        [name, _count(protected[number], n), *([mark] if marks else [])]
        for number, (name, _, n, mark) in enumerate(items)
    ]
    alt = say(
        "Bar chart: %(caption)s. %(title)s. The same numbers stand in the table below.",
        caption=caption,
        title=title,
    )
    if marks:
        caption += " " + say(
            "(▲ a day with an availability under %(least)s, all gateways together)",
            least=numbers.percent(MARKED_AVAILABILITY, 0),
        )
    return Chart(title, bars(drawn, alt=alt), alt, Table(caption, head, rows))


def _methods(report: Report) -> Table:
    """How people signed in, over all networks."""
    methods = report.whole.now.methods
    protected = protect(methods)
    names = {
        SigninMethod.PATRON: say("Library card"),
        SigninMethod.PASS: say("Day pass"),
        SigninMethod.FREE: say("Free access, for a message"),
    }
    total = sum(methods.values())
    rows = [
        [names[SigninMethod(method)], _count(protected[method], n), _share(protected[method], n, total)]
        for method, n in sorted(methods.items(), key=lambda one: (-one[1], one[0]))
    ]
    return Table(say("Sessions by the way of signing in"), [say("Way"), say("Sessions"), say("Share")], rows)


def _measure_names() -> list[str]:
    return [
        say("Sessions"),
        say("Compared"),
        say("Visits"),
        say("Devices a month"),
        say("Peak"),
        say("Volume"),
        say("Median rate"),
        say("Ads"),
        say("Availability"),
    ]


def _measures(part: Part, report: Report) -> list[str]:
    now, devices = part.now, mean_devices(part.devices)
    openly = part.shown is Disclosure.OPENLY
    behind = say("n/d")
    about_people = [
        numbers.count(now.sessions),
        numbers.change_a_day(now.sessions, part.before.sessions, report.days_ratio)
        if report.is_comparable
        else "–",
        numbers.count(now.visits),
        "–" if devices is None else numbers.count(devices),
        numbers.count(now.peak[0]),
        numbers.amount(now.volume),
        numbers.rate(now.median_kbps),
        numbers.count(now.ads),
    ]
    if not openly:
        about_people = [behind] * 3 + [masked(part.shown, "")] + [behind] * 4
    return [*about_people, numbers.availability(now.availability)]


def _count(shown: Disclosure, n: int) -> str:
    return masked(shown, numbers.count(n))


def _share(shown: Disclosure, n: int, total: int) -> str:
    return numbers.percent(n / total if total else None) if shown is Disclosure.OPENLY else ""
