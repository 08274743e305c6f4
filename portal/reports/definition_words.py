"""What the figures mean and how they were made, in words; the code behind them: `sessions.statistics.definitions`."""

from __future__ import annotations

from collections.abc import Iterator

from portal.i18n.translation import say
from portal.reports.document import DefinitionList, Paragraph, Section
from portal.reports.numbers import count, day, percent
from portal.services import town_zone
from sessions.statistics.definitions import FEWEST_SHOWN, GRACE, VERSION
from sessions.statistics.report import Report
from sessions.statistics.signed import SignedReport
from sessions.statistics.sketch import STANDARD_ERROR


def definitions() -> Section:
    """The words of the report, each with its meaning."""
    items = [
        (
            say("A session"),
            say(
                "One connection from sign-in to its end, once a gateway has let it pass. It counts at the place "
                "and on the "
                "day where and when it began."
            ),
        ),
        (
            say("Visit"),
            say(
                "Time spent by one device at one place. Absences of less than an hour do not interrupt a visit; "
                "it counts "
                "on the day it began."
            ),
        ),
        (
            say("Unique device"),
            say(
                "A device with at least one visit that began in a month, counted once: so there are never more "
                "devices than visits. Devices of several months cannot be added up to a number of people: "
                "whoever comes in two months counts in both."
            ),
        ),
        (
            say("Clients at once"),
            say(
                "Devices connected at the same moment, counted every five minutes. The peak is the greatest "
                "such count."
            ),
        ),
        (
            say("Volume"),
            say("Data sent and received, as the gateways counted it, on the day the session ended."),
        ),
        (
            say("Rate reached"),
            say(
                "For each session that received at least 10 MB, its fastest stretch between two reports of the "
                "gateway "
                "(about ten seconds). It is what a device took, and so the least that the line gave. The median "
                "is the "
                "rate that half of these sessions reached."
            ),
        ),
        (
            say("Refused sign-in"),
            say(
                "An attempt to get in that was refused, by the rule that refused it. One person may make several."
            ),
        ),
        (
            say("Accepted message"),
            say("A message shown on the free network and accepted, whose time online was then given."),
        ),
        (
            say("Availability"),
            say(
                "The part of the opening hours in which the gateways were heard. A gateway that is silent while "
                "its place "
                "is open makes outage hours; at night a closed library misses nobody."
            ),
        ),
    ]
    return Section("definitions", say("Definitions"), [DefinitionList(items)])


def method(report: Report) -> Section:
    """How the figures were made, what they cannot say, and how to make them again."""
    texts = [
        say(
            "All figures come from daily sums made from the session log once a day has been over for "
            "%(days)s days. The log "
            "is erased as the law demands; the sums stay. As long as the log is there, the sums can be made "
            "again and come "
            "out the same, byte for byte.",
            days=GRACE.days,
        ),
        say(
            "No list of people is kept. A device's address goes through a keyed hash into a sketch "
            "(HyperLogLog) that only "
            "knows about how many there were, within about %(error)s. The key is destroyed when its month is closed: "
            "after that nobody, not even the town, can find a device in it, or follow one from month to month.",
            error=percent(STANDARD_ERROR),
        ),
        say(
            "Phones change their addresses: %(share)s of the sessions came from a made-up address. One "
            "person may so count "
            "as several devices; unique devices are an upper estimate of people.",
            share=percent(_share(report), 0),
        ),
        say(
            "Counts of fewer than %(few)s devices are shown as “< %(few)s”. So that they cannot be worked "
            "out from a total, "
            "another figure is withheld beside them (“n/d”, not disclosed).",
            few=FEWEST_SHOWN,
        ),
        say(
            "Days are local days, of 23 or 25 hours when the clock changes. Sessions that run past midnight "
            "count on the "
            "day they began, their time online on both days."
        ),
    ]
    texts += _changes(report)
    if report.last_made is not None:
        texts.append(
            say("The figures are final up to and including %(day)s.", day=day(report.last_made))
            + " "
            + say(
                "This period has %(days)s days, of which %(made)s have their figures.",
                days=count(report.period.days),
                made=count(report.days_made),
            )
        )
    return Section("method", say("Method and limits"), [Paragraph(text) for text in texts])


def _changes(report: Report) -> Iterator[str]:
    """What changed in the definitions, and which days of this report were counted by which."""
    if report.versions == [VERSION]:
        return
    yield say(
        "Since version %(version)s of the definitions, a device that goes on under a new address counts once; before, "
        "each of its addresses counted, and no more devices than visits were shown. Devices counted by one and by the "
        "other cannot be compared; all other figures can.",
        version=VERSION,
    )
    for used in report.definitions:
        yield say(
            "By version %(version)s: %(days)s days, from %(first)s to %(last)s.",
            version=used.version,
            days=count(used.days),
            first=day(used.first),
            last=day(used.last),
        )


def colophon(report: Report, *, networks: frozenset[str], language: str) -> list[str]:
    """Enough to make the same report again, and to see that it is the same."""
    command = f"flask --app wsgi report usage --from {report.period.first} --to {report.period.last}"
    command += "".join(f" --network {network}" for network in sorted(networks))
    return [
        say("Definitions, version %(version)s", version=", ".join(report.versions)),
        say("Fingerprint of the figures (SHA-256): %(digest)s", digest=report.digest),
        say("Made with: %(command)s", command=f"{command} --language {language}"),
    ]


def signed_by(version: SignedReport) -> str:
    """Who signed a report off, when, as which version."""
    return say(
        "Version %(number)s, signed off by %(name)s on %(day)s.",
        number=version.id,
        name=version.signed_by,
        day=day(version.signed_at.astimezone(town_zone()).date()),
    )


def signed_colophon(version: SignedReport) -> list[str]:
    """Enough to see that a copy is the one that was signed."""
    return [
        say("Fingerprint of the signed numbers (SHA-256): %(digest)s", digest=version.numbers_digest),
        say("Signature (Ed25519): %(signature)s", signature=version.signature.hex()),
    ]


def _share(report: Report) -> float | None:
    sessions = report.whole.now.sessions
    return report.whole.now.random_address / sessions if sessions else None
