"""What the search over everything knows to find. A noun with pages of its own gets its finder here.

Each finder gives what matches the words, with the address of its page, and of this person's networks alone. Words match
without accents and capitals, and as parts of words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from ads import directory
from ads.directory import CampaignQuery
from auth.audit.actions import LOG_SEARCHED, ObjectKind
from auth.records import visible
from auth.staff import lookup
from auth.staff.roles import Action, covers, may
from auth.vouchers.scope import BatchQuery, find_batches, touches
from db.folding import has_words
from portal.i18n.translation import say
from portal.records.registry import KINDS
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.menu import doors
from portal.staff.sessions import access_audit
from portal.staff.sessions.finding import find_row
from portal.staff.vouchers.finding import by_code_or_mark, without_codes
from sessions.retention import holds
from sites.gateways import every as every_gateway
from sites.import_export.records import current_cells
from sites.queries import networks, sites

# Of one kind so many are listed; whoever wants another types more of its name.
MOST = 12
# What may be a card, a MAC address, an address, a mistyped code stays out of addresses of pages.
_TELLING = re.compile(r"\d{5}|[:.@]|\d+-\d+|(?=\S*\d)(?=\S*[^\W\d])\S{6}")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: `kind` says what it is. A `sure` one is what was meant, if it is the only one."""

    title: str
    kind: str
    url: str
    sure: bool = False


Finder = Callable[[Session, str], Iterator[Hit]]


def find_everything(db: Session, words: str, *, typing: bool = False) -> list[Hit]:
    """All that this person may see and that has these words: what was named exactly comes first. Without the log while
    somebody is `typing`: each look into it is on record, and it is the largest of all."""
    authority = current_staff().authority
    finders = [one for action, one in FINDERS if may(authority, action) and not (typing and one is _log)]
    found = [hit for finder in finders for hit in _first(finder(db, words))]
    return sorted(found, key=lambda hit: not hit.sure)


def may_stand_in_an_address(words: str) -> bool:
    """Whether logs of servers may keep these words: they are no code, no card and no device."""
    return bool(without_codes(words)) and not _TELLING.search(words)


def _first(found: Iterator[Hit]) -> list[Hit]:
    return [hit for hit, _ in zip(found, range(MOST), strict=False)]


def _pages(_db: Session, words: str) -> Iterator[Hit]:
    for door in doors():
        if has_words(words, door.name):
            yield Hit(door.name, say("Page"), door.url)


def _passes(db: Session, words: str) -> Iterator[Hit]:
    found = by_code_or_mark(db, words)
    if found is not None and touches(db, found.batch, current_staff().authority):
        yield Hit(found.mark, say("Pass"), url_for("staff.pass_page", voucher_id=found.id), sure=True)


def _batches(db: Session, words: str) -> Iterator[Hit]:
    if not may_stand_in_an_address(words):
        return
    for batch in find_batches(db, BatchQuery(words=words, most=MOST), current_staff().authority):
        title = " · ".join(filter(None, (str(batch.id), batch.event, batch.note)))
        yield Hit(title, say("Batch"), url_for("staff.batch", batch_id=batch.id))


def _log(db: Session, words: str) -> Iterator[Hit]:
    """A session, an incident, a device, a person: that somebody looked for it is written down."""
    found = find_row(db, words[:80])
    if found.kind == "nothing known":
        return
    access_audit.note(LOG_SEARCHED, ObjectKind.LOG, kind=found.kind, rows=None if found.address else 0)
    if found.address is not None:
        kinds = {
            "incident": say("Incident"),
            "session": say("Session"),
            "pass": say("Sessions of a pass"),
            "pseudonym": say("Sessions of a person"),
        }
        is_sure = found.kind in ("incident", "mac", "address")
        yield Hit(words, kinds.get(found.kind, say("Sessions of a device")), found.address, sure=is_sure)


def _records(db: Session, words: str) -> Iterator[Hit]:
    """Whatever an installation is made of, kind by kind; gateways have a page of their own."""
    authority = current_staff().authority
    for pages in KINDS.values():
        if pages.slug == "gateways" or not may(authority, pages.action):
            continue
        for key, cells in current_cells(db, visible(pages.kind, authority.networks)).items():
            if has_words(words, key, *(cells.get(name, "") for name in pages.listed)):
                title = cells.get(pages.name) or key
                yield Hit(title, say(pages.title), url_for(f"staff.{pages.slug}_record", key=key))


def _gateways(db: Session, words: str) -> Iterator[Hit]:
    for gateway in every_gateway(db):
        if covers(current_staff().authority, gateway.network.slug) and has_words(
            words, gateway.identity, gateway.site.name, gateway.site.address, gateway.network.name
        ):
            title = f"{gateway.identity} · {gateway.site.name}"
            yield Hit(title, say("Gateway"), url_for("staff.gateway", identity=gateway.identity))


def _sites_in_the_log(db: Session, words: str) -> Iterator[Hit]:
    authority = current_staff().authority
    for site in sites(db):
        mine = not site.networks or any(covers(authority, one.slug) for one in site.networks)
        if mine and has_words(words, site.name, site.slug, site.address):
            url = url_for("staff.sessions", site=site.slug, last="today")
            yield Hit(site.name, say("Today's sessions at a place"), url)


def _networks_in_the_log(db: Session, words: str) -> Iterator[Hit]:
    for network in networks(db, slugs=current_staff().authority.networks or None):
        if has_words(words, network.name, network.ssid, network.slug):
            url = url_for("staff.sessions", network=network.slug, last="today")
            yield Hit(network.name, say("Today's sessions on a network"), url)


def _campaigns(db: Session, words: str) -> Iterator[Hit]:
    query = CampaignQuery(words=words, networks=current_staff().authority.networks)
    for one in directory.find(db, query, now=services().clock()):
        title = f"{one.campaign.name} · {one.campaign.advertiser.name}"
        yield Hit(title, say("Campaign"), url_for("staff.campaign", slug=one.campaign.slug))


def _people(db: Session, words: str) -> Iterator[Hit]:
    for person in lookup.everybody(db, visible_to=current_staff().authority):
        if has_words(words, person.name, person.login):
            yield Hit(
                f"{person.name} ({person.login})",
                say("Account"),
                url_for("staff.person", staff_id=person.id),
            )


def _holds(db: Session, words: str) -> Iterator[Hit]:
    for hold in holds.everything(db, networks=current_staff().authority.networks):
        if has_words(words, hold.reference):
            yield Hit(hold.reference, say("Legal hold"), url_for("staff.holds"))


FINDERS: tuple[tuple[Action, Finder], ...] = (
    (Action.BOOKS, _passes),
    (Action.SESSIONS, _log),
    (Action.OWN_ACCOUNT, _records),
    (Action.GATEWAYS, _gateways),
    (Action.SESSIONS, _sites_in_the_log),
    (Action.SESSIONS, _networks_in_the_log),
    (Action.BOOKS, _batches),
    (Action.ADS, _campaigns),
    (Action.ACCOUNTS, _people),
    (Action.RETENTION, _holds),
    (Action.OWN_ACCOUNT, _pages),
)
