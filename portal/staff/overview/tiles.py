"""The numbers of the overview: each says what it counts, and leads to the list that makes it.

Each role has those of its actions. A noun with a page of its own gets a function here, and its entry in `TILES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import url_for
from sqlalchemy.orm import Session

from ads import directory
from ads.directory import CampaignQuery
from ads.models import CampaignState
from auth import classes
from auth.fixed_devices import register
from auth.staff import lookup
from auth.staff.models import StaffState
from auth.staff.roles import Action, Authority, covers, may, switches
from auth.vouchers.scope import used_and_issued
from portal.i18n.translation import say, say_number
from portal.services import services, town_zone
from portal.staff.access import current_staff
from sessions.alerts import messages, recipients
from sessions.experiments import service as experiments
from sessions.legal_requests import register as requisitions
from sessions.log.denials import count_since
from sessions.retention import holds, purge
from sessions.troubles.detectors import OF_A_GATEWAY
from sessions.troubles.kinds import DEVICE_SILENT, GATEWAY_CUT_OFF
from sessions.troubles.service import open_troubles
from sites.gateways import every as every_gateway
from sites.models import SiteState
from sites.queries import next_works
from sites.schools.timetable import is_on_at


@dataclass(frozen=True, slots=True)
class Tile:
    """`value` is a number or a few words; `at` an instant that belongs to it."""

    name: str
    value: str | int
    url: str
    note: str = ""
    at: datetime | None = None


OF_GATEWAYS = {GATEWAY_CUT_OFF.name, *(kind.name for kind in OF_A_GATEWAY.values())}
Find = Callable[[Session, datetime], Iterator[Tile]]


def tiles(db: Session, *, now: datetime) -> list[Tile]:
    """Those of this person, in the order of the table."""
    authority = current_staff().authority
    return [tile for action, find in TILES if may(authority, action) for tile in find(db, now)]


def start_of_today(now: datetime) -> datetime:
    """The last local midnight."""
    local = now.astimezone(town_zone())
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _mine() -> Authority:
    return current_staff().authority


def _passes(db: Session, now: datetime) -> Iterator[Tile]:
    used, issued = used_and_issued(db, since=start_of_today(now), authority=_mine())
    note = say_number("%(n)s was used today", "%(n)s were used today", used)
    yield Tile(say("Passes issued today"), issued, url_for("staff.batches"), note)


def _gateways(db: Session, now: datetime) -> Iterator[Tile]:
    mine = [one.identity for one in every_gateway(db) if covers(_mine(), one.network.slug)]
    ill = {one.subject for one in open_troubles(db, authority=_mine()) if one.kind in OF_GATEWAYS}
    note = say("of %(n)s", n=len(mine))
    yield Tile(say("Gateways that are well"), len(mine) - len(ill), url_for("staff.gateways"), note)


def _works(db: Session, now: datetime) -> Iterator[Tile]:
    site = next_works(db, now=now, networks=_mine().networks)
    if site is None:
        yield Tile(say("Next works"), say("none planned"), url_for("staff.sites_list"))
    else:
        what = say("closed") if site.state is SiteState.CLOSED else say("wifi off")
        url = url_for("staff.sites_record", key=site.slug)
        yield Tile(say("Next works"), site.name, url, what, site.state_since)


def _refusals(db: Session, now: datetime) -> Iterator[Tile]:
    count = count_since(db, since=start_of_today(now), networks=_mine().networks)
    url = url_for("staff.sessions", show="refusals", last="today")
    yield Tile(say("Refusals today"), count, url)


def _devices(db: Session, now: datetime) -> Iterator[Tile]:
    mine = [one for one in register.active(db) if covers(_mine(), one.network.slug)]
    if mine:
        missing = sum(one.kind == DEVICE_SILENT.name for one in open_troubles(db, authority=_mine()))
        note = say("of %(n)s", n=len(mine))
        yield Tile(say("Fixed devices missing"), missing, url_for("staff.devices_list"), note)


def _classes(db: Session, now: datetime) -> Iterator[Tile]:
    mine = [
        one
        for one in classes.every(db)
        if switches(_mine(), one.network.slug, [stop.site.slug for stop in one.stops])
    ]
    if mine:
        on = sum(any(is_on_at(stop, one.press, now) for stop in one.timetable) for one in mine)
        note = say("of %(n)s", n=len(mine))
        yield Tile(say("Classes on now"), on, url_for("staff.classes"), note)


def _experiments(db: Session, now: datetime) -> Iterator[Tile]:
    today = now.astimezone(town_zone()).date()
    running = [one for one in experiments.everything(db, _mine()) if one.first <= today <= one.last]
    url, note = url_for("staff.experiment_list"), ""
    if len(running) == 1:
        url, note = url_for("staff.experiment", experiment_id=running[0].id), running[0].name
    yield Tile(say("Running experiments"), len(running), url, note)


def _alerts(db: Session, now: datetime) -> Iterator[Tile]:
    if _mine().networks:
        # Who is told is for those who work for the whole town.
        return
    waiting = messages.count_failed(db)
    told = len(recipients.every(db)) + (services().settings.alert_webhook_url is not None)
    note = "" if told else say("nobody is told")
    yield Tile(say("Alerts not delivered"), waiting, url_for("staff.alerts"), note)


def _campaigns(db: Session, now: datetime) -> Iterator[Tile]:
    found = directory.find(db, CampaignQuery(networks=_mine().networks), now=now)
    running = [one for one in found if one.state is CampaignState.RUNNING]
    proposed = sum(one.state is CampaignState.PROPOSED for one in found)
    note = say_number("%(n)s waits for approval", "%(n)s wait for approval", proposed) if proposed else ""
    url = url_for("staff.campaigns", state=CampaignState.RUNNING)
    yield Tile(say("Running campaigns"), len(running), url, note)


def _keeping(db: Session, now: datetime) -> Iterator[Tile]:
    last = purge.last_finished(db)
    yield Tile(
        say("Last purge"),
        say("never yet") if last is None else say("done"),
        url_for("staff.retention"),
        at=last.finished_at if last else None,
    )
    mine = _mine().networks
    acting = [one for one in holds.everything(db, networks=mine) if holds.acts(one, now=now)]
    yield Tile(say("Legal holds"), len(acting), url_for("staff.holds"))


def _requisitions(db: Session, now: datetime) -> Iterator[Tile]:
    open_ones = [one for one in requisitions.newest(db, _mine()) if one.closed_at is None]
    yield Tile(say("Open requisitions"), len(open_ones), url_for("staff.requisitions"))


def _accounts(db: Session, now: datetime) -> Iterator[Tile]:
    people = lookup.everybody(db, visible_to=_mine())
    invited = sum(one.state is StaffState.INVITED for one in people)
    active = sum(one.state is StaffState.ACTIVE for one in people)
    note = say_number("%(n)s is not set up yet", "%(n)s are not set up yet", invited) if invited else ""
    yield Tile(say("Active accounts"), active, url_for("staff.people"), note)


TILES: tuple[tuple[Action, Find], ...] = (
    (Action.BOOKS, _passes),
    (Action.GATEWAYS, _gateways),
    (Action.SITES, _works),
    (Action.DEVICES, _devices),
    (Action.CLASS_HOURS, _classes),
    (Action.ALERTS, _alerts),
    (Action.SESSIONS, _refusals),
    (Action.ADS, _campaigns),
    (Action.EXPERIMENT, _experiments),
    (Action.RETENTION, _keeping),
    (Action.REQUISITIONS, _requisitions),
    (Action.ACCOUNTS, _accounts),
)
