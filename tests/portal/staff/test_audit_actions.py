"""Every action of the audit log: words in each language, an object whose page opens, and one place that writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from auth.audit import log
from auth.audit.actions import ACTIONS, AuditAction, ObjectKind, declare
from auth.staff.roles import Role
from auth.vouchers.models import Voucher
from portal.i18n.catalogues import catalogue
from portal.services import Services
from portal.staff.privacy.audit_words import PAGES
from sessions.experiments import service as experiments
from sessions.experiments.indicators import Measure
from sessions.experiments.service import Plan, Writer
from sessions.legal_requests import register
from sessions.retention import holds, periods
from sites.models import Gateway, Site
from sites.printers import Printer
from tests.actors import TESTER
from tests.ads.campaigns import make_draft
from tests.auth.fixed_devices.devices import admit_devices, register_device
from tests.portal.languages import WHOLE
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.issuing import issue
from tests.sessions.legal_requests.rows import add_first_bases
from tests.sites.schools.cast import bring_inventory, build_schools
from tests.town import Town

ROOT = Path(__file__).parents[3]
# The rooms of services, and those that only call them.
SERVICES, CALLERS = ("auth", "sessions", "sites", "ads"), ("portal", "lab", "gateways", "db", "config")
# Nobody has to ask for a page of a kind of pass, the database, a device's certificate (which stands on the page of its
# session) or the authority that makes them: the list of entries about it opens.
WITHOUT_PAGE = {ObjectKind.DATABASE, ObjectKind.DEVICE, ObjectKind.AUTHORITY}


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("code", WHOLE)
def test_every_action_has_words_of_its_own(code: str) -> None:
    answer = {action.key: catalogue(code).gettext(action.words) for action in ACTIONS.values()}
    assert len(answer) > 60
    assert all(answer.values())
    assert len(set(answer.values())) == len(answer), "two actions are told in the same words"
    if code != "en":
        assert [key for key, words in answer.items() if words == ACTIONS[key].words] == []


def test_an_action_fits_its_column_and_is_declared_once() -> None:
    assert all(len(key) <= 40 and action.objects for key, action in ACTIONS.items())
    with pytest.raises(ValueError, match="twice"):
        declare("pass revoked", "took a pass back once more", ObjectKind.PASS)


def test_an_action_is_written_of_its_own_objects_alone(services: Services) -> None:
    action = ACTIONS["pass revoked"]
    with services.make_session() as db, pytest.raises(ValueError, match="is not done to"):
        log.append(db, action, "batch:1", actor=TESTER, now=services.clock())


def test_services_alone_write_entries() -> None:
    """Whoever calls them hands over an actor. The portal reads entries, and imports nothing that writes one."""
    for path in sources(*CALLERS):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "auth.audit":
                assert "log" not in {alias.name for alias in node.names}, path
            if isinstance(node, ast.ImportFrom) and node.module == "auth.audit.log":
                assert {alias.name for alias in node.names} <= {"AuditEntry", "AuditHead"}, path


def test_no_name_of_an_action_stands_outside_the_registry() -> None:
    """Not as a text of its own, but for those that are plain words too."""
    plain = {"unmasked", "purged", "signed in", "signed out"}
    for path in sources(*SERVICES, *CALLERS):
        if path == ROOT / "auth" / "audit" / "actions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in ACTIONS.keys() - plain, f"{path}:{node.lineno}: {node.value}"


def test_every_action_that_is_written_is_used_and_every_former_one_is_not() -> None:
    used = "".join(path.read_text("utf-8") for path in sources("auth", "sessions", "portal", "ads"))
    declared = (ROOT / "auth" / "audit" / "actions.py").read_text("utf-8")
    names = dict(re.findall(r'^([A-Z_]+) = declare\(\s*"([^"]+)"', declared, re.MULTILINE))
    assert set(names.values()) == set(ACTIONS)
    for name, key in names.items():
        times = len(re.findall(rf"\b{name}\b", used)) - len(re.findall(rf"\b{name}\b", declared))
        assert (times > 0) != ACTIONS[key].former, name


@pytest.fixture
def objects(
    services: Services,
    town: Town,
    known: dict[str, int | str],
    clerk: Clerk,
) -> dict[ObjectKind, str]:
    """One object of every kind, as entries name it."""
    issue(clerk)
    with services.make_session.begin() as db:
        now = services.clock()
        periods.seed(db, now=now)
        voucher = db.scalars(select(Voucher)).one()
        hold = holds.place(
            db,
            holds.HoldScope(subject="ada0" * 8),
            reference="1",
            reason="ordered",
            expires_at=now + timedelta(days=9),
            actor=TESTER,
            now=now,
        )
        add_first_bases(db)
        asked = {
            "authority": "Commissariat",
            "signer": "Capitaine Martin",
            "reference": "2026/1",
            "basis": "CPP 60-1",
            "kind": "site",
            "value": "pierre-bayle",
            "since": "2026-11-22T08:00Z",
            "until": "2026-11-22T09:00Z",
        }
        entry = register.add(db, asked, zone=services.settings.zone, actor=TESTER, now=now)
        campaign = make_draft(db)
        build_schools(db)
        plan = Plan(
            "Wifi", "Savoir.", date(2027, 1, 1), date(2029, 12, 31), frozenset(), {Measure.REFUSALS: 1.0}
        )
        experiment = experiments.write(db, plan, writer=Writer(TESTER, "Ines"), now=now)
        bring_inventory(db)
        admit_devices(db)
        device = register_device(db, now=now).slug
        at = db.scalars(select(Site).order_by(Site.id)).first()
        db.add(Printer(slug="accueil", name="Accueil", site=at, host="192.0.2.9"))
        gateway = db.scalars(select(Gateway.identity).order_by(Gateway.id)).first()
    named: dict[ObjectKind, int | str | None] = {
        ObjectKind.PASS: voucher.id,
        ObjectKind.BATCH: voucher.batch_id,
        ObjectKind.PLAN: "day",
        ObjectKind.GATEWAY: gateway,
        ObjectKind.STAFF: clerk.staff_id,
        ObjectKind.TOKEN: "tickets",
        ObjectKind.SESSION: known["ada"],
        ObjectKind.QUESTION: "state=open",
        ObjectKind.INCIDENT: known["code"],
        ObjectKind.RETENTION_PERIOD: "trail",
        ObjectKind.PURGE: 1,
        ObjectKind.HOLD: hold.id,
        ObjectKind.REQUISITION: entry.id,
        ObjectKind.CAMPAIGN: campaign.slug,
        ObjectKind.ADVERTISER: campaign.advertiser.slug,
        ObjectKind.EXPERIMENT: experiment.id,
        ObjectKind.SCHOOL: "ecole-bregille",
        ObjectKind.CLASS: "chariot-1",
        ObjectKind.TABLET: "tab-001",
        ObjectKind.NETWORK: "wifilib",
        ObjectKind.SITE: "gare-viotte",
        ObjectKind.FIXED_DEVICE: device,
        ObjectKind.PRINTER: "accueil",
    }
    return {kind: kind.named(named[kind] or "") if kind in named else kind.value for kind in ObjectKind}


def test_every_object_of_an_action_opens_for_whoever_may(
    services: Services,
    desk: Desk,
    objects: dict[ObjectKind, str],
) -> None:
    """The link beside each entry, for somebody of all roles but one, and for the one who answers for privacy."""
    assert {kind for action in ACTIONS.values() for kind in action.objects} == set(ObjectKind)
    assert set(PAGES) | WITHOUT_PAGE == set(ObjectKind)
    with services.make_session.begin() as db:
        for kind, object in objects.items():
            action = AuditAction(f"about {kind}", "did", (kind,))
            log.append(db, action, object, actor=TESTER, now=services.clock())
    readers = [
        desk.at_work("paul", Role.PRIVACY),
        desk.at_work("dora", *(set(Role) - {Role.PRIVACY})),
    ]
    opened = set()
    for reader in readers:
        for kind, object in objects.items():
            reader.get(f"/staff/trail?object={object}")
            assert reader.page.status_code == 200
            found = re.search(r'<a class="open" href="([^"]+)">Open it<', reader.page.text)
            if found is not None:
                assert reader.get(found.group(1).replace("&amp;", "&")).status_code == 200, object
                opened.add(kind)
    # The list that a link to the audit log itself leads to is the page that it stands on.
    assert opened == set(ObjectKind) - WITHOUT_PAGE - {ObjectKind.AUDIT_LOG}
