"""What two networks have, one of everything that a page of staff is about: one is a clerk's own, the other is not."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule as Route

from ads import campaigns, overrides, slugs
from auth import reprints
from auth.api_tokens import service
from auth.api_tokens.idempotency import CodeGenerator
from auth.api_tokens.scopes import Scope
from auth.api_tokens.service import TokenRequest
from auth.blocks import service as blocks
from auth.blocks.models import BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from auth.errors import WrongCredentials
from auth.staff import requests
from auth.staff.models import Staff, StaffRequest
from auth.staff.roles import Authority, Role
from auth.vouchers import issuing, plans
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.models import Batch, Plan, PlanKind, Voucher
from portal.services import Services
from portal.staff.assets import ASSETS
from sessions.alerts import recipients
from sessions.alerts.models import Recipient
from sessions.alerts.recipients import Wish
from sessions.experiments import service as experiments
from sessions.experiments.indicators import Measure
from sessions.experiments.service import Plan as ExperimentPlan
from sessions.experiments.service import Writer
from sessions.legal_requests import register
from sessions.log.denials import LoggedDenial, Step, note
from sessions.retention import holds, periods
from sessions.statistics import report as reports
from sessions.statistics import signed
from sessions.statistics.periods import Period
from sessions.statistics.signed import Signing
from sites.import_export import history
from sites.models import Gateway, Network, Site, SiteKind
from sites.printers import Printer
from sites.schools.models import ClassStop, LineMedium, SchoolLine, Stage, Tablet, TabletClass, TabletState
from sites.schools.timetable import WifiRule
from tests.actors import TESTER
from tests.ads.campaigns import APPROVER, AUTHOR, make_draft
from tests.auth.fixed_devices.devices import register_device
from tests.sessions.legal_requests.rows import PARIS, add_first_bases
from tests.sessions.log.rows import add_session
from tests.town import Town, make_gateway, make_library_network, make_site

if TYPE_CHECKING:
    from tests.portal.staff.conftest import Desk

MINE, OTHER = "bibliotheques", "other-town"
# The school of heads for whom a test names none.
SCHOOL = "ecole-des-essais"
# One of which no line is known yet.
NEW_SCHOOL = "ecole-neuve"
ASKED = {
    "authority": "Commissariat",
    "signer": "Capitaine Martin",
    "reference": "2026/1",
    "basis": "CPP 60-1",
    "kind": "site",
    "value": "pierre-bayle",
    "since": "2026-11-22T08:00Z",
    "until": "2026-11-22T09:00Z",
}


# A block of a device that is online at the library.
BLOCK = {
    "kind": "device",
    "mac": "02:00:00:00:0b:01",
    "network": MINE,
    "cause": "misuse",
    "until": "2026-12-24",
    "shown": "99",
}


@dataclass(frozen=True, slots=True)
class Things:
    """The ids of one network's objects, by the name of the route's parameter."""

    batch_id: int
    voucher_id: int
    staff_id: int
    access_id: int
    code: str
    token_id: int
    rule_id: int
    change_id: int
    request_id: int
    hold_id: int
    identity: str
    requisition_id: int
    network: str
    slug: str
    override_id: int
    site: str
    # By kind of record: the number of a change that can be undone.
    undo_ids: Mapping[str, int]
    block_id: int
    recipient_id: int = 0
    # A report that was signed off.
    version_id: int = 0
    experiment_id: int = 0

    def fill(self, rule: Route) -> dict[str, object]:
        known = {
            "batch_id": self.batch_id,
            "voucher_id": self.voucher_id,
            "staff_id": self.staff_id,
            "access_id": self.access_id,
            "code": self.code,
            "token_id": self.token_id,
            "form": "csv",
            "paper": "a4",
            "rule_id": self.rule_id,
            "change_id": self.change_id,
            "request_id": self.request_id,
            "hold_id": self.hold_id,
            "identity": self.identity,
            "requisition_id": self.requisition_id,
            "token": "no-such-token",
            "answer_id": 999_999,
            "passkey_id": 999_999,
            "grant_id": 999_999,
            "slug": self.slug,
            "override_id": self.override_id,
            "block_id": self.block_id,
            "recipient_id": self.recipient_id,
            "version_id": self.version_id,
            "experiment_id": self.experiment_id,
            "payer": "bakery",
            "hashed_name": ASSETS["campaign.js"].hashed_name,
        }
        known["class_slug"] = f"class-{self.network}"
        kind = rule.endpoint.removeprefix("staff.").partition("_")[0]
        if "key" in rule.arguments:
            known |= {"key": self.key_of(kind), "undo_id": self.undo_ids[kind]}
        return {name: known[name] for name in rule.arguments}

    def key_of(self, kind: str) -> str:
        """What a record of this kind is called."""
        return {
            "networks": self.network,
            "sites": self.site,
            "gateways": self.identity,
            "plans": f"of-{self.network}",
            "devices": f"device-of-{self.network}",
            "school-lines": line_of(self.network),
            "classes": f"class-{self.network}",
            "tablets": f"tablet-{self.network}",
            "printers": f"printer-{self.network}",
        }[kind]


@dataclass(frozen=True, slots=True)
class World:
    mine: Things
    other: Things


def make_world(services: Services, desk: Desk, town: Town) -> World:
    """Passes and accounts of the library's network, and of another town's."""
    with services.make_session.begin() as db:
        plans.add_first_plans(db)
        network = make_library_network(slug=OTHER)
        db.add(make_gateway("gw-away", make_site("away", network, ads_allowed=False), network))
    return World(
        make_things(services, desk, MINE, "pierre-bayle"), make_things(services, desk, OTHER, "away")
    )


def make_things(services: Services, desk: Desk, network: str, site: str) -> Things:
    person = desk.hire(f"person.{network.replace('-', '.')}", Role.DESK, networks=(network,))
    boss_id = desk.hire(f"boss.{network.replace('-', '.')}", Role.ADMIN).staff_id
    with services.make_session.begin() as db:
        made = issue_printable(db, services, site)
        make_class(db, network)
        voucher = db.query(Voucher).filter_by(batch_id=made.batch.id, number=1).one()
        gateway = db.query(Gateway).join(Gateway.network).filter(Network.slug == network).one()
        access = add_session(db, gateway, services.clock())
        refused = LoggedDenial(WrongCredentials.reason, Step.SIGNIN, gateway=gateway)
        code = note(db, refused, now=services.clock())
        assert code is not None
        wish = TokenRequest(f"of-{network}", frozenset({Scope.READ}), frozenset({network}), timedelta(days=1))
        token = service.make(
            db, tokens=services.tokens, issuer="us", wish=wish, actor=TESTER, now=services.clock()
        ).row
        boss = db.get_one(Staff, boss_id)
        officer = Authority(frozenset({Role.PRIVACY}), frozenset({network}))
        requests.ask(
            db, db.get_one(Staff, person.staff_id), officer, by=boss, actor=TESTER, now=services.clock()
        )
        asked = db.scalars(select(StaffRequest).where(StaffRequest.staff_id == person.staff_id)).one()
        # Terms are those of the whole installation.
        periods.seed(db, now=services.clock())
        db.flush()
        hold = holds.place(
            db,
            holds.HoldScope(mac=access.mac),
            reference="1",
            reason="ordered",
            expires_at=services.clock() + timedelta(days=9),
            actor=TESTER,
            now=services.clock(),
            network_id=gateway.network_id,
        )
        rule = periods.current(db)[0]
        add_first_bases(db)
        entry = register.add(
            db, ASKED, networks=frozenset({network}), zone=PARIS, actor=TESTER, now=services.clock()
        )
        week = Period(date(2026, 10, 5), date(2026, 10, 11))
        report = reports.load(db, week, networks=frozenset({network}), ads=lambda _: {})
        report.last_made = week.last
        signing = Signing(TESTER, "Ines", services.settings.portal_url, services.signer)
        version = signed.sign(
            db, report, networks=frozenset({network}), signing=signing, now=services.clock()
        )
        return Things(
            made.batch.id,
            voucher.id,
            person.staff_id,
            access.id,
            code,
            token.id,
            rule.id,
            rule.id,
            asked.id,
            hold.id,
            gateway.identity,
            entry.id,
            network,
            make_draft(db, f"of-{network}", networks=[network]).slug,
            make_override(db, services.clock()),
            site,
            make_changes(db, network, site, gateway.identity, services.clock()),
            make_block(db, network, services.clock()),
            version_id=version.id,
            experiment_id=make_experiment(db, network, services.clock(), begun=True),
        )


def make_experiment(db: Session, network: str, now: datetime, *, begun: bool) -> int:
    """One that runs since today, or begins tomorrow."""
    first = now.date() + timedelta(days=0 if begun else 1)
    plan = ExperimentPlan(
        "Wifi pour tous",
        "Savoir à qui il sert.",
        first,
        first + timedelta(days=700),
        frozenset({network}),
        {Measure.AVAILABILITY: 99.0},
    )
    return experiments.write(db, plan, writer=Writer(TESTER, "Ines"), now=now).id


def make_changes(db: Session, network: str, site: str, identity: str, now: datetime) -> dict[str, int]:
    """One change of each, that took another value away."""
    former = {
        "networks": (network, {"name": "Former"}),
        "sites": (site, {"name": "Former"}),
        "gateways": (identity, {"redirector_url": "http://10.0.0.1:8081/"}),
        "plans": (f"of-{network}", {"devices": "3"}),
        "school-lines": (line_of(network), {"line_down_kbps": "1000"}),
        "classes": (f"class-{network}", {"name": "Former"}),
        "tablets": (f"tablet-{network}", {"model": "Former"}),
        "printers": (f"printer-{network}", {"name": "Former"}),
        "devices": (make_device(db, network, site, now), {"name": "Former"}),
    }
    db.add(Plan(slug=f"of-{network}", names={"en": "Day"}, kind=PlanKind.UNTIL_MIDNIGHT, networks=[network]))
    at = db.query(Site).filter_by(slug=site).one()
    # No printer may be there: whatever is sent to it is told as not reached.
    db.add(Printer(slug=f"printer-{network}", name="Desk", site=at, host="127.0.0.1", port=9199))
    made = {
        kind: history.add(db, kind, key, before, before, by="tester", now=now)
        for kind, (key, before) in former.items()
    }
    db.flush()
    return {kind: change.id for kind, change in made.items()}


def line_of(network: str) -> str:
    """The school whose line is this network's thing: tests change each on its own."""
    return SCHOOL if network == MINE else f"ecole-{network}"


def make_line(db: Session, slug: str) -> Site:
    school = make_site(slug, kind=SiteKind.SCHOOL, school_zone="A", ads_allowed=False)
    line = {"stage": Stage.PRIMARY, "medium": LineMedium.FIBRE, "wifi": WifiRule.CLASSES}
    db.add(SchoolLine(site=school, resolver="192.0.2.53", **line))
    return school


def make_class(db: Session, network: str) -> None:
    """A class of one tablet, at the school that heads are of here."""
    served = db.query(Network).filter_by(slug=network).one()
    school = db.query(Site).filter_by(slug=SCHOOL).one_or_none()
    if school is None:
        school = make_line(db, SCHOOL)
        db.add(make_site(NEW_SCHOOL, kind=SiteKind.SCHOOL))
    if line_of(network) != SCHOOL:
        make_line(db, line_of(network))
    school.networks.append(served)
    tablets = TabletClass(slug=f"class-{network}", name=f"Class of {network}", network=served)
    tablets.stops = [ClassStop(site=school, position=0)]
    mac = f"02:00:00:00:7a:{len(network):02x}"
    tablets.tablets = [Tablet(slug=f"tablet-{network}", mac=mac, state=TabletState.IN_USE)]
    db.add(tablets)
    db.flush()


def make_device(db: Session, network: str, site: str, now: datetime) -> str:
    """A fixed device on this network, which admits such devices from now on."""
    row = db.query(Network).filter_by(slug=network).one()
    row.signin_methods = [*row.signin_methods, "managed"]
    db.flush()
    slug, mac = f"device-of-{network}", f"02:00:00:00:0c:{row.id:02x}"
    return register_device(db, now=now, slug=slug, mac=mac, network=network, site=site).slug


def make_block(db: Session, network: str, now: datetime) -> int:
    """A device that never comes."""
    network_id = db.query(Network).filter_by(slug=network).one().id
    until, cause = now + timedelta(days=7), BlockCause.MISUSE
    wish = BlockRequest(BlockKind.DEVICE, "02:00:00:00:ff:01", network_id, cause, "", until)
    return blocks.place(db, wish, actor=TESTER, now=now).id


def with_new_block(services: Services, things: Things) -> Things:
    """The same things with a block that nobody has lifted."""
    with services.make_session.begin() as db:
        return replace(things, block_id=make_block(db, things.network, services.clock()))


def make_override(db: Session, now: datetime) -> int:
    texts = {"fr": {"title": "Crue", "text": "Partez."}}
    return overrides.start(db, texts, ends_at=now + timedelta(hours=6), actor=AUTHOR, now=now).id


# What has been done with a campaign before somebody asks for this.
STEPS: dict[str, tuple[str, ...]] = {
    "staff.approve_campaign": ("propose",),
    "staff.pause_campaign": ("propose", "approve"),
    "staff.resume_campaign": ("propose", "approve", "pause"),
}


def with_coming_experiment(services: Services, things: Things) -> Things:
    """The same things with an experiment that has not begun."""
    with services.make_session.begin() as db:
        number = make_experiment(db, things.network, services.clock(), begun=False)
    return replace(things, experiment_id=number)


def with_new_campaign(services: Services, things: Things, endpoint: str) -> Things:
    """The same things with a campaign that other people have brought to where this route begins."""
    with services.make_session.begin() as db:
        slug = slugs.for_campaign(db, things.slug)
        make_draft(db, slug, networks=[things.network])
        override_id = make_override(db, services.clock())
        for step in STEPS.get(endpoint, ()):
            if step == "approve":
                campaigns.approve(db, slug, actor=APPROVER, zone=PARIS, now=services.clock())
            else:
                getattr(campaigns, step)(db, slug, actor=AUTHOR, now=services.clock())
    return replace(things, slug=slug, override_id=override_id)


def issue_printable(db: Session, services: Services, site: str) -> IssuedBatch:
    """Two passes that can be printed again, as a desk makes them."""
    key, now, plan = secrets.token_bytes(32), services.clock(), plans.by_slug(db, "day")
    order, draw = Order(count=2, desk_site=site), CodeGenerator(key)
    made = issuing.issue(
        db, keys=services.voucher_keys, plan=plan, order=order, actor=TESTER, now=now, draw=draw
    )
    sealer = services.encrypted_tokens
    reprints.keep(db, made.batch, sealer=sealer, key=key, first=1, count=2, zone=PARIS, now=now)
    return made


def with_new_passes(services: Services, things: Things) -> Things:
    """The same things with passes that nobody has touched yet."""
    with services.make_session.begin() as db:
        desk_site = db.get_one(Batch, things.batch_id).desk_site
        made = issue_printable(db, services, desk_site)
        voucher = db.query(Voucher).filter_by(batch_id=made.batch.id, number=1).one()
        return replace(things, batch_id=made.batch.id, voucher_id=voucher.id)


def with_new_recipient(services: Services, things: Things) -> Things:
    """The same things with somebody who is told of troubles."""
    with services.make_session.begin() as db:
        wish = Wish(f"reseau-{db.query(Recipient).count()}@example.org", "fr")
        added = recipients.add(db, wish, actor=TESTER, now=services.clock())
        return replace(things, recipient_id=added.id)
