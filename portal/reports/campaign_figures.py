"""What a campaign's figures and an advertiser's bill say: as a document, and as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ads.ledger.bills import BillLine, lines_of
from ads.ledger.figures import CampaignFigures, Counts
from ads.ledger.models import Bill
from portal.i18n.translation import language, say
from portal.reports.document import DefinitionList, Document, Paragraph, Section, Table
from portal.reports.numbers import count, day, euros, masked, month, opening
from sessions.statistics.definitions import FEWEST_SHOWN
from sessions.statistics.suppression import Disclosure, Protected, is_small, protect
from sites.import_export.rows import Cell
from sites.import_export.tables import write_table

# Each count with how it is read. What follows from what was accepted is hidden wherever that is.
READ: dict[str, Callable[[Counts], int]] = {
    "served": lambda own: own.served,
    "viewed": lambda own: own.viewed,
    "accepted": lambda own: own.accepted,
    "over_cap": lambda own: own.over_cap,
    "confirmed": lambda own: own.confirmed,
    "failed": lambda own: own.failed,
    "blocked": lambda own: own.blocked,
    "reported": lambda own: own.reported,
}
OF_ACCEPTED = ("over_cap", "confirmed", "failed")
COLUMNS = ("campaign", "by", "part", *READ, "devices", "cost_eur")
_STANDS_FOR = {Disclosure.SMALL: f"<{FEWEST_SHOWN}", Disclosure.WITHHELD: "n/d"}


def document(town: str, payer: str, found: Sequence[CampaignFigures], *, today: date) -> Document:
    """The figures of some campaigns of one advertiser, up to today."""
    return Document(
        language=language(),
        town=town,
        title=say("Figures of messages on the public wifi"),
        when=say("Up to %(day)s", day=day(today)),
        about=payer,
        made=say("Made on %(day)s.", day=day(today)),
        sections=[
            *(_campaign(one) for one in found),
            Section("definitions", say("Definitions"), [_definitions(), Paragraph(_limits())]),
        ],
        cover=False,
    )


def table(found: Sequence[CampaignFigures]) -> bytes:
    """The same as CSV (RFC 4180), UTF-8: the figures, and after an empty line what each column means."""
    rows = [row for one in found for row in _rows(one)]
    meanings: list[dict[str, Cell]] = [
        {"column": name, "meaning": meaning}
        for name, meaning in zip((*READ, "devices", "cost_eur"), _meanings(), strict=True)
    ]
    return write_table(COLUMNS, rows) + b"\r\n" + write_table(("column", "meaning"), meanings)


def bill_document(town: str, contact: str, bill: Bill, issued: date) -> Document:
    """A bill as it was issued."""
    rows = [
        [line.name, count(line.accepted), euros(line.price_cents), euros(line.cents)]
        for line in lines_of(bill)
    ]
    rows.append(
        [say("Total"), count(sum(line.accepted for line in lines_of(bill))), "", euros(bill.total_cents)]
    )
    head = [say("Campaign"), say("Accepted messages"), say("Price of a thousand"), say("Amount")]
    payer = [bill.payer["name"], bill.payer["identity"], bill.payer["contact"]]
    return Document(
        language=language(),
        town=town,
        title=say("Monthly bill %(number)s", number=bill.name),
        when=opening(month(bill.month)),
        about=" · ".join(filter(None, payer)),
        made=say("Issued on %(day)s.", day=day(issued)),
        sections=[
            Section(
                "lines", say("Messages on the public wifi"), [Table(opening(month(bill.month)), head, rows)]
            ),
            Section("terms", say("How it is worked out"), [Paragraph(text) for text in _bill_terms()]),
        ],
        contact=say("Questions about this bill: %(contact)s", contact=contact),
        cover=False,
    )


BILL_COLUMNS = (
    "bill",
    "month",
    "advertiser",
    "campaign",
    "name",
    "accepted",
    "price_per_thousand_eur",
    "amount_eur",
)


def bill_table(bill: Bill) -> bytes:
    """The lines of a bill as CSV, and their total."""

    def row(line: BillLine | None) -> dict[str, Cell]:
        of_line: tuple[Cell, ...] = ("total", "", sum(one.accepted for one in lines_of(bill)), "")
        if line is not None:
            of_line = (line.campaign, line.name, line.accepted, _plain(line.price_cents))
        cents = bill.total_cents if line is None else line.cents
        first = (bill.name, f"{bill.month:%Y-%m}", bill.payer["name"])
        return dict(zip(BILL_COLUMNS, (*first, *of_line, _plain(cents)), strict=True))

    return write_table(BILL_COLUMNS, [*map(row, lines_of(bill)), row(None)])


def _plain(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _campaign(one: CampaignFigures) -> Section:
    tables = [
        _table(say("By month"), say("Month"), one, one.by_month, month),
        _table(say("By message"), say("Message"), one, one.by_creative, str),
        _table(say("By place"), say("Place"), one, one.by_site, str),
        _table(say("By day"), say("Day"), one, one.by_day, day),
    ]
    if not one.whole.served:
        return Section(one.slug, one.name, [Paragraph(say("It has not been shown yet."))])
    return Section(one.slug, one.name, tables)


def _table(
    caption: str, name: str, one: CampaignFigures, parts: Mapping[Any, Counts], say_part: Any
) -> Table:
    shown = _protected(parts)
    is_months = parts is one.by_month
    head = [name, *_names()]
    if is_months:
        head += [say("Devices"), say("Cost")]
    rows = []
    for part in parts:
        cells = [masked(shown[what][part], count(read(parts[part]))) for what, read in READ.items()]
        if is_months:
            cells += [_reach(one, part), _cost(one, part, shown["accepted"][part])]
        rows.append([opening(say_part(part)), *cells])
    whole = [masked(shown[what].total, count(read(one.whole))) for what, read in READ.items()]
    if is_months:
        total = one.total_cents
        openly = shown["accepted"].total is Disclosure.OPENLY
        whole += ["", "–" if total is None else euros(total) if openly else say("n/d")]
    return Table(caption, head, [*rows, [say("Total"), *whole]])


def _protected(parts: Mapping[Any, Counts]) -> dict[str, Protected[Any]]:
    """How each count of each part is shown, and their total."""
    accepted = protect({part: own.accepted for part, own in parts.items()})
    found = {}
    for what, read in READ.items():
        before = accepted.parts if what in OF_ACCEPTED else None
        own = protect({part: read(counts) for part, counts in parts.items()}, beforehand=before)
        found[what] = accepted if what == "accepted" else own
    return found


def _reach(one: CampaignFigures, part: date) -> str:
    devices = one.reach.get(part)
    if devices is None:
        return "–"
    return masked(Disclosure.SMALL if is_small(devices) else Disclosure.OPENLY, count(devices))


def _cost(one: CampaignFigures, part: date, shown: Disclosure) -> str:
    cents = one.cost_cents(part)
    if cents is None:
        return "–"
    return euros(cents) if shown is Disclosure.OPENLY else say("n/d")


def _rows(one: CampaignFigures) -> Iterator[dict[str, Cell]]:
    scopes: tuple[tuple[str, Mapping[Any, Counts]], ...] = (
        *(("month", one.by_month), ("message", one.by_creative)),
        *(("place", one.by_site), ("day", one.by_day)),
    )
    shown = _protected(one.by_month)
    total = {what: _cell(shown[what].total, read(one.whole)) for what, read in READ.items()}
    cents, openly = one.total_cents, shown["accepted"].total is Disclosure.OPENLY
    cost = "" if cents is None else _plain(cents) if openly else "n/d"
    yield {"campaign": one.slug, "by": "all", "part": "", **total, "devices": "", "cost_eur": cost}
    for scope, parts in scopes:
        shown = _protected(parts)
        for part, own in parts.items():
            cells = {what: _cell(shown[what][part], read(own)) for what, read in READ.items()}
            devices: Cell = ""
            cost = ""
            if scope == "month":
                reach = one.reach.get(part)
                devices = (
                    ""
                    if reach is None
                    else _cell(Disclosure.SMALL if is_small(reach) else Disclosure.OPENLY, reach)
                )
                cents = one.cost_cents(part)
                is_open = shown["accepted"][part] is Disclosure.OPENLY
                cost = "" if cents is None else _plain(cents) if is_open else "n/d"
            name = f"{part:%Y-%m}" if scope == "month" else str(part)
            yield {
                "campaign": one.slug,
                "by": scope,
                "part": name,
                **cells,
                "devices": devices,
                "cost_eur": cost,
            }


def _cell(shown: Disclosure, number: int) -> Cell:
    return number if shown is Disclosure.OPENLY else _STANDS_FOR[shown]


def _names() -> list[str]:
    return [
        say("Served"),
        say("Viewed"),
        say("Accepted"),
        say("Beyond a cap"),
        say("Confirmed"),
        say("Not confirmed"),
        say("Without picture"),
        say("Reported"),
    ]


def _meanings() -> list[str]:
    return [
        say(
            "Pages with the message that were sent to a device: once each, however often they are loaded again."
        ),
        say(
            "Messages that were open for the least time: all that were accepted, and of the others those whose "
            "page ran its script. Without a script nobody can tell whether somebody left before."
        ),
        say(
            "Messages whose button was pressed after the least time, and that count towards goal, cap and price."
        ),
        say(
            "Accepted when a cap of the campaign was reached already. They gave time online, and are not billed."
        ),
        say("Acceptances, of either kind, whose time online the gateway has confirmed."),
        say(
            "The others: the gateway refused or was not heard, or the guest left before. They were read all the same."
        ),
        say(
            "Messages whose picture did not load, as far as a script could tell. Their text was shown; they count."
        ),
        say("Messages that somebody reported with the button below them."),
        say(
            "About how many different devices accepted the campaign in a month. Phones change their addresses, so "
            "there are fewer people; months cannot be added up. No list of devices is kept."
        ),
        say(
            "Accepted messages of a month at the price of a thousand, rounded once, to the cent; half a cent is one."
        ),
    ]


def _definitions() -> DefinitionList:
    return DefinitionList(list(zip((*_names(), say("Devices"), say("Cost")), _meanings(), strict=True)))


def _limits() -> str:
    return say(
        "Counts of fewer than %(few)s are shown as “< %(few)s”, and another figure beside them is withheld (“n/d”), "
        "so that they cannot be worked out. The last two days may still change.",
        few=FEWEST_SHOWN,
    )


def _bill_terms() -> list[str]:
    return [
        say(
            "Each line has the messages of one campaign that were accepted and counted in the month, at the price of "
            "a thousand. It is rounded once, to the cent; half a cent is one. The total is the sum of the lines."
        ),
        say(
            "No tax is worked out here. A bill is never changed once it is issued; asked for again, it is the same."
        ),
    ]
