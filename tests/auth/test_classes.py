"""Switching classes of tablets on and off, and which tablets are to be online: told by what a gateway is granted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from auth import classes
from auth.audit import search
from auth.audit.search import Query
from auth.classes import UnknownStop
from auth.records import preview
from portal.records.schools import TABLET_PAGES
from sessions import feed, roaming
from sessions.managed.reconcile import Reconciled, reconcile
from sessions.sweep import sweep
from sites.errors import RefusedImport
from sites.import_export import TABLET_CLASSES, TABLETS
from sites.import_export.rows import Row
from sites.models import Gateway, SiteState
from sites.schools.models import SchoolLine
from tests.actors import TESTER
from tests.auth.fixed_devices.devices import CAMERA_MAC, register_device
from tests.imports import import_records
from tests.sites.schools.cast import bring_inventory, build_schools, school
from tests.town import make_client, make_gateway

PARIS = ZoneInfo("Europe/Paris")
# A Wednesday, on which no class has a lesson at the primary schools.
NOW = datetime(2026, 12, 2, 10, tzinfo=PARIS).astimezone(UTC)
HOUR = timedelta(hours=1)
# Those of the trolley that are in use.
TROLLEY = ["02:00:00:00:7a:01", "02:00:00:00:7a:02"]


@pytest.fixture
def doors(db: Session) -> dict[str, Gateway]:
    """A gateway at each school, by the school's slug."""
    network = build_schools(db)
    network.signin_methods = ["managed"]
    bring_inventory(db)
    found = {}
    for number, slug in enumerate(("ecole-bregille", "ecole-helvetie", "college-diderot")):
        prefixes = [f"10.7{number}.0.0/24"]
        found[slug] = make_gateway(f"gw-{slug}", school(db, slug), network, client_prefixes=prefixes)
        db.add(found[slug])
    db.flush()
    return found


def passing(db: Session, gateway: Gateway, now: datetime = NOW) -> dict[str, str]:
    """The cards that this gateway lets pass, each with the resolver that answers it."""
    answer = feed.read(db, gateway_id=gateway.id, since=0, now=now)
    return {grant.client.mac: str(grant.resolver) for grant in answer.grants}


def press(db: Session, site: str = "ecole-bregille", now: datetime = NOW) -> None:
    trolley = classes.find(db, "chariot-1")
    assert trolley is not None
    classes.switch_on(db, trolley, site=site, length=HOUR, by="Léa Roy", actor=TESTER, now=now)
    reconcile(db, now=now)


def test_a_class_that_is_on_passes_at_all_its_schools_and_nowhere_else(
    db: Session, doors: dict[str, Gateway]
) -> None:
    reconcile(db, now=NOW)
    assert passing(db, doors["ecole-bregille"]) == {}
    press(db)
    for slug in ("ecole-bregille", "ecole-helvetie"):
        assert passing(db, doors[slug]) == dict.fromkeys(TROLLEY, "9.9.9.11")
    # A tablet that is carried to a school which is none of the trolley's does not pass there.
    stray = make_client(TROLLEY[0], "10.72.0.9")
    roaming.arrive(db, gateway=doors["college-diderot"], clients=[stray], now=NOW)
    assert TROLLEY[0] not in passing(db, doors["college-diderot"])


def test_it_ends_at_the_end_of_the_hour_by_the_lease_itself(db: Session, doors: dict[str, Gateway]) -> None:
    press(db)
    door = doors["ecole-bregille"]
    (first, _) = feed.read(db, gateway_id=door.id, since=0, now=NOW).grants
    assert first.until == (NOW + HOUR).timestamp()
    assert passing(db, door, NOW + HOUR) == {}
    reconcile(db, now=NOW + HOUR)
    assert passing(db, door, NOW + HOUR) == {}


def test_switching_off_takes_the_leases_back_at_once(db: Session, doors: dict[str, Gateway]) -> None:
    press(db)
    trolley = classes.find(db, "chariot-1")
    assert trolley is not None
    soon = NOW + timedelta(minutes=5)
    classes.switch_off(db, trolley, by="Léa Roy", actor=TESTER, now=soon)
    reconcile(db, now=soon)
    assert passing(db, doors["ecole-bregille"], soon) == passing(db, doors["ecole-helvetie"], soon) == {}


def test_lessons_open_a_class_by_themselves(db: Session, doors: dict[str, Gateway]) -> None:
    monday = datetime(2026, 11, 30, 8, 30, tzinfo=PARIS).astimezone(UTC)
    reconcile(db, now=monday - timedelta(minutes=1))
    assert passing(db, doors["ecole-bregille"], monday) == {}
    reconcile(db, now=monday)
    assert set(passing(db, doors["ecole-bregille"], monday)) == set(TROLLEY)


@pytest.mark.parametrize("lack", ["resolver", "closed", "retired", "kind"])
def test_no_class_comes_on_where_it_could_not_be_kept(
    db: Session, doors: dict[str, Gateway], lack: str
) -> None:
    """Whatever changed since it was recorded: without a resolver, or at a gateway that keeps none, nobody passes."""
    bregille = doors["ecole-bregille"]
    match lack:
        case "resolver":
            db.get_one(SchoolLine, bregille.site_id).resolver = ""
        case "closed":
            bregille.site.state = SiteState.CLOSED
        case "kind":
            bregille.kind = "unifi"
        case _:
            trolley = classes.find(db, "chariot-1")
            assert trolley is not None
            trolley.retired = True
            db.flush()
            assert classes.find(db, "chariot-1") is None
            reconcile(db, now=datetime(2026, 11, 30, 9, tzinfo=PARIS).astimezone(UTC))
            assert passing(db, bregille, NOW) == {}
            return
    db.flush()
    press(db)
    assert passing(db, bregille) == {}


def test_whoever_presses_is_on_record_and_no_other_school_can_be_named(
    db: Session, doors: dict[str, Gateway]
) -> None:
    press(db)
    (entry,) = [one for one in search.read(db, Query()) if one.action == "class switched on"]
    assert entry.object == "class:chariot-1"
    assert (entry.detail["site"], entry.detail["tablets"]) == ("ecole-bregille", 2)
    with pytest.raises(UnknownStop):
        press(db, "college-diderot")


def test_who_pressed_last_is_forgotten_a_day_after_the_end(db: Session, doors: dict[str, Gateway]) -> None:
    press(db)

    def by(now: datetime) -> str:
        sweep(db, now=now)
        trolley = classes.find(db, "chariot-1")
        assert trolley is not None
        return trolley.press.by if trolley.press else ""

    over = NOW + HOUR + timedelta(days=1)
    assert by(over) == "Léa Roy"
    assert by(over + timedelta(seconds=1)) == ""
    # What it did stands in the audit log.
    assert "class switched on" in [entry.action for entry in search.read(db, Query())]


def test_a_card_is_of_a_tablet_or_of_a_fixed_device(db: Session, doors: dict[str, Gateway]) -> None:
    cells = {"network": "ecoles", "site": "ecole-bregille", "destinations": "everywhere"}
    with pytest.raises(RefusedImport, match=r"mac: tablet tab-001 of class chariot-1 has the card"):
        register_device(db, now=NOW, mac=TROLLEY[0], **cells)
    register_device(db, now=NOW, **cells)
    row = Row("line 2", {"slug": "tab-900", "class": "chariot-1", "mac": CAMERA_MAC, "state": "in_use"})
    with pytest.raises(RefusedImport, match=r"line 2: mac: fixed device cam-gare has the card"):
        preview(db, TABLET_PAGES.kind, [row], networks=frozenset())


def test_a_round_takes_as_many_statements_whatever_the_number_of_classes_and_devices(
    db: Session, doors: dict[str, Gateway]
) -> None:
    def statements() -> int:
        seen: list[object] = []
        reconcile(db, now=NOW)
        listener = lambda *_: seen.append(1)  # noqa: E731
        event.listen(db.get_bind(), "before_cursor_execute", listener)
        assert reconcile(db, now=NOW) == Reconciled()
        event.remove(db.get_bind(), "before_cursor_execute", listener)
        return len(seen)

    cells = {"network": "ecoles", "site": "ecole-bregille", "destinations": "everywhere"}
    register_device(db, now=NOW, **cells)
    press(db)
    few = statements()
    many = "".join(f"more-{n},More,ecoles,ecole-bregille We 00:00-24:00\n" for n in range(4))
    import_records(db, TABLET_CLASSES, f"slug,name,network,stops\n{many}".encode())
    tablets = "".join(f"more-{n},more-{n % 4},02:00:00:00:7e:{n:02x},in_use\n" for n in range(12))
    import_records(db, TABLETS, f"slug,class,mac,state\n{tablets}".encode())
    for number in range(8):
        register_device(db, now=NOW, slug=f"cam-{number}", mac=f"02:00:00:00:0d:{number:02x}", **cells)
    assert statements() == few
    assert len(passing(db, doors["ecole-bregille"])) == len(TROLLEY) + 12 + 9
