"""Receipt printers as records: the columns of a file and of a form."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from config.addresses import read_host
from config.reader import IpNetwork
from gateways.sentences import Sentence
from sites.errors import ImportFault
from sites.import_export import cells
from sites.import_export.records import Change, Column, Records, Values
from sites.models import Site
from sites.printers import FIRST_PORT, LAST_PORT, Printer, may_stand_at

PAPERS = (58, 80)


def _host(text: str) -> str:
    if not text.strip():
        raise ValueError(Sentence("is empty"))
    try:
        return read_host(text.strip())
    except ValueError as error:
        raise ValueError(
            Sentence(
                "'%(text)s' is no address or name such as 10.20.0.9 or printer.example.org", text=text[:60]
            )
        ) from error


def _paper(text: str) -> int:
    width = cells.whole(1, 999)(text.removesuffix("mm"))
    if width not in PAPERS:
        raise ValueError(Sentence("%(width)s is no width of a roll: 58 or 80", width=width))
    return width


COLUMNS = {
    "slug": Column(cells.slug),
    "name": Column(cells.line_of_text(60, needed=True)),
    "site": Column(cells.slug),
    "host": Column(_host),
    "port": Column(cells.whole(FIRST_PORT, LAST_PORT), FIRST_PORT),
    "paper_mm": Column(_paper, 80),
    "answers": Column(cells.yes_or_no, True),
    "retired": Column(cells.yes_or_no, False),
}
_PLAIN = tuple(name for name in COLUMNS if name != "site")


def _names(_current: Mapping[str, Values]) -> Sequence[str]:
    return list(COLUMNS)


def _printers(db: Session) -> dict[str, Printer]:
    return {one.slug: one for one in db.scalars(select(Printer).options(joinedload(Printer.site)))}


def _current(db: Session) -> dict[str, Values]:
    return {
        slug: {name: one.site.slug if name == "site" else getattr(one, name) for name in COLUMNS}
        for slug, one in _printers(db).items()
    }


def _judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    sites = set(db.scalars(select(Site.slug)))
    for change in changes:
        if change.after["site"] not in sites:
            yield ImportFault(
                change.where, "site", Sentence("there is no site %(site)s", site=change.after["site"])
            )


def _write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    sites = {site.slug: site for site in db.scalars(select(Site))}
    known = _printers(db)
    for change in changes:
        printer = known.get(change.key) or Printer()
        for name in _PLAIN:
            setattr(printer, name, change.after[name])
        printer.site = sites[change.after["site"]]
        db.add(printer)
    return {}


PRINTERS = Records("printers", "slug", COLUMNS.get, _names, _current, _judge, _write)


def printers_within(allowed: Iterable[IpNetwork]) -> Records:
    """The same, with the networks in which this installation's printers may be. A name is looked up when something is
    printed: what it stands for then is judged then."""

    def judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
        yield from PRINTERS.judge(db, changes)
        for change in changes:
            if change.before is not None and change.before["host"] == change.after["host"]:
                continue
            host = change.after["host"].strip("[]")
            address = "127.0.0.1" if host == "localhost" else host
            if _is_address(address) and not may_stand_at(address, allowed):
                yield ImportFault(
                    change.where,
                    "host",
                    Sentence("%(host)s is no address at which a printer may be", host=host),
                )

    return replace(PRINTERS, judge=judge)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
