"""The inventory of schools as files: taken in, judged row by row, and given out as it came."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from sites.errors import RefusedImport
from sites.import_export import SCHOOL_LINES, TABLET_CLASSES, TABLETS, Records, export_records
from sites.schools.models import Tablet, TabletClass
from tests.imports import import_records
from tests.sites.schools.cast import bring_inventory, build_schools, school
from tests.town import make_gateway, make_site

KINDS = {"lines": SCHOOL_LINES, "classes": TABLET_CLASSES, "tablets": TABLETS}


def refusal(db: Session, records: Records, text: str) -> str:
    with pytest.raises(RefusedImport) as refused:
        import_records(db, records, text.encode())
    return str(refused.value)


@pytest.fixture
def schools(db: Session) -> Session:
    build_schools(db)
    bring_inventory(db)
    return db


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_given_out_changes_nothing_when_taken_in(schools: Session, kind: str) -> None:
    content = export_records(schools, KINDS[kind])
    result = import_records(schools, KINDS[kind], content)
    assert result.rows > 1
    assert (result.created, result.changed) == ((), ())
    assert export_records(schools, KINDS[kind]) == content


def test_a_trolley_knows_its_schools_in_order_and_its_lessons(schools: Session) -> None:
    trolley = schools.query(TabletClass).filter_by(slug="chariot-1").one()
    assert [stop.site.slug for stop in trolley.stops] == ["ecole-bregille", "ecole-helvetie"]
    assert [bool(stop.lessons) for stop in trolley.stops] == [True, False]
    import_records(
        schools, TABLET_CLASSES, b"slug,stops\nchariot-1,ecole-helvetie | ecole-bregille Mo 09:00-10:00\n"
    )
    schools.expire_all()
    assert [stop.site.slug for stop in trolley.stops] == ["ecole-helvetie", "ecole-bregille"]
    assert trolley.stops[1].lessons == "Mo 09:00-10:00"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ecole-bregille,primary,always,9.9.9.11", "wifi: always: in primary schools"),
        ("ecole-bregille,primary,hours,9.9.9.11", "wifi_hours: is empty"),
        ("ecole-bregille,primary,classes,", "resolver: is empty, and a class of tablets is kept here"),
        ("ecole-bregille,primary,classes,127.0.0.1", "not the address of a resolver"),
        ("ecole-bregille,primary,classes,dns.example", "is no address"),
        ("ecole-nowhere,primary,classes,", "there is no site ecole-nowhere"),
        ("gare,primary,classes,", "gare is no school"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_its_reason(schools: Session, row: str, reason: str) -> None:
    schools.add(make_site("gare"))
    schools.flush()
    head = "site,stage,wifi,resolver,medium,wifi_hours\n"
    assert reason in refusal(schools, SCHOOL_LINES, f"{head}{row},fibre,\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nuage,ecole-bregille", "there is no network nuage"),
        ("ecoles,ecole-x", "there is no site ecole-x"),
        ("ecoles,ecole-bregille | ecole-bregille", "is there twice"),
        ("ecoles,ecole-bregille Lundi", "is not like"),
        ("ecoles,", "is empty"),
    ],
)
def test_a_class_that_cannot_be_is_refused_with_its_reason(schools: Session, row: str, reason: str) -> None:
    assert reason in refusal(schools, TABLET_CLASSES, f"slug,name,network,stops\nx,X,{row}\n")


def test_a_class_stops_only_where_a_resolver_is_named_and_can_be_kept(schools: Session) -> None:
    import_records(
        schools, TABLET_CLASSES, b"slug,stops\nchariot-1,ecole-bregille\ndiderot-a,ecole-bregille\n"
    )
    import_records(schools, SCHOOL_LINES, b"site,resolver\ncollege-diderot,\n")
    row = "slug,name,network,stops\nx,X,ecoles,{}\n"
    assert "college-diderot, where the class is kept, names no resolver" in refusal(
        schools, TABLET_CLASSES, row.format("college-diderot")
    )
    network = schools.query(TabletClass).first().network  # type: ignore[union-attr]
    schools.add(make_gateway("gw-helvetie", school(schools, "ecole-helvetie"), network, kind="unifi"))
    schools.flush()
    reason = "gateway gw-helvetie at ecole-helvetie cannot keep a class to one resolver"
    assert reason in refusal(schools, TABLET_CLASSES, row.format("ecole-helvetie"))


def test_lessons_that_name_school_holidays_need_a_zone(schools: Session) -> None:
    school(schools, "ecole-bregille").school_zone = ""
    schools.flush()
    row = "slug,stops\nchariot-1,ecole-bregille Mo 08:00-09:00; SH off\n"
    assert "school_zone is empty" in refusal(schools, TABLET_CLASSES, row)


def test_a_tablet_has_an_address_of_its_own(schools: Session) -> None:
    row = "slug,class,mac\ntab-004,chariot-1,02-00-00-00-7A-01\n"
    assert "02:00:00:00:7a:01 is tab-001's already" in refusal(schools, TABLETS, row)
    assert "there is no class x" in refusal(schools, TABLETS, "slug,class,mac\nt,x,02:00:00:00:7a:09\n")


def test_two_tablets_change_their_addresses_with_each_other(schools: Session) -> None:
    rows = b"slug,mac\ntab-001,02:00:00:00:7a:02\ntab-002,02:00:00:00:7a:01\n"
    assert import_records(schools, TABLETS, rows).changed == ("tab-001", "tab-002")
    schools.expire_all()
    assert schools.query(Tablet).filter_by(slug="tab-001").one().mac == "02:00:00:00:7a:02"
