"""The sections of networks, places and refusals. Small counts are masked here."""

from __future__ import annotations

from portal.denials.rendering import report_line
from portal.i18n.translation import say
from portal.reports import numbers
from portal.reports.document import Block, Paragraph, Section, Table
from portal.reports.measures import mean_devices
from portal.reports.numbers import masked
from portal.reports.summary import captioned
from sessions.statistics.report import NetworkPart, Part, Report
from sessions.statistics.suppression import Disclosure, protect
from sites.models import SigninMethod


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
