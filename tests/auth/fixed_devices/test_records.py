"""The register as records: what is refused, and that what is written out is taken in unchanged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.fixed_devices import links, register
from auth.fixed_devices.links import OwnerLinks
from auth.fixed_devices.models import FixedDevice
from auth.fixed_devices.records import FIXED_DEVICES
from config import Secret
from sites.errors import RefusedImport
from sites.import_export.records import export_records, import_records
from sites.import_export.rows import Row
from tests.actors import TESTER
from tests.auth.fixed_devices.devices import CAMERA, admit_devices, register_device
from tests.clock import NOON
from tests.town import Town, build_town


@pytest.fixture
def town(db: Session) -> Town:
    town = build_town(db)
    admit_devices(db)
    return town


def test_a_device_is_wanted_as_its_record_says(db: Session, town: Town) -> None:
    register_device(db, rate_up_kbps="2000")
    [wanted] = register.wanted(db, NOON)
    assert (wanted.mac, wanted.gateway_ids, wanted.rate_up_kbps) == (
        CAMERA["mac"],
        frozenset({town.station.id}),
        2000,
    )
    # The midnight after its last day, on the clock of Besançon.
    assert wanted.until == datetime(2027, 8, 31, 22, 0, tzinfo=UTC)
    assert wanted.destinations is not None
    assert [str(each) for each in wanted.destinations] == ["203.0.113.10 tcp/8443", "2001:db8::/32"]


def test_it_is_wanted_within_its_hours_its_contract_and_its_state_alone(db: Session, town: Town) -> None:
    register_device(db, hours="Mo-Fr 08:00-18:00")
    [wanted] = register.wanted(db, NOON)
    assert wanted.until == datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    assert list(register.wanted(db, datetime(2026, 11, 24, 17, 0, tzinfo=UTC))) == []
    register_device(db, hours="24/7", contract_end="2026-11-23")
    assert list(register.wanted(db, NOON)) == []
    register_device(db, contract_end="2026-11-24")
    assert len(list(register.wanted(db, NOON))) == 1
    register_device(db, state="suspended")
    assert list(register.wanted(db, NOON)) == []


def test_what_is_written_out_is_taken_in_unchanged(db: Session, town: Town) -> None:
    register_device(db)
    register_device(
        db,
        slug="till",
        kind="shop",
        mac="02:00:00:00:0c:02",
        destinations="everywhere",
        address="10.66.0.200",
    )
    content = export_records(db, FIXED_DEVICES)
    again = import_records(db, FIXED_DEVICES, content, by="tests", now=NOON)
    assert (again.created, again.changed, len(again.unchanged)) == ((), (), 2)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("mac", "ff:ff:ff:ff:ff:ff", "is not the address of one network card"),
        ("mac", "02:00:00:00:0c:09", "another device of the register"),
        ("site", "nowhere", "there is no site"),
        ("network", "bibliotheques", "does not offer network"),
        ("destinations", "", "is empty"),
        ("destinations", "example.org tcp/443", "is no address and no network"),
        ("address", "192.0.2.1", "no gateway there has"),
        ("address", "10.66.0.9", "another device has the address"),
        ("contract_end", "", "every device has a last day"),
        ("hours", "whenever", "whenever"),
        ("sign_reference", "", "a camera needs it"),
        ("sign_until", "2025-01-01", "is before the day"),
        ("rate_up_kbps", "0", "is not between"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_column(
    db: Session, town: Town, column: str, cell: str, reason: str
) -> None:
    register_device(db, slug="other", mac="02:00:00:00:0c:09", address="10.66.0.9")
    with pytest.raises(RefusedImport) as refused:
        register_device(db, **{column: cell})
    told = [(fault.column, fault.reason) for fault in refused.value.faults]
    assert any(where == column and reason in why for where, why in told), told


def test_a_network_that_admits_no_devices_and_a_gateway_that_keeps_no_destinations_are_told(
    db: Session, town: Town
) -> None:
    town.station.kind = "opennds"
    with pytest.raises(RefusedImport, match="keeps no device to destinations"):
        register_device(db)
    register_device(db, destinations="everywhere")
    town.free.signin_methods = ["free"]
    with pytest.raises(RefusedImport, match="admits no devices"):
        register_device(db, slug="next", mac="02:00:00:00:0c:02", destinations="everywhere")


def test_two_devices_may_exchange_their_cards(db: Session, town: Town) -> None:
    register_device(db, slug="one", mac="02:00:00:00:0c:01")
    register_device(db, slug="two", mac="02:00:00:00:0c:02")
    rows = [
        Row("line 2", {"slug": "one", "mac": "02:00:00:00:0c:02"}),
        Row("line 3", {"slug": "two", "mac": "02:00:00:00:0c:01"}),
    ]
    import_records(db, FIXED_DEVICES, rows, by="tests", now=NOON)
    assert dict(db.execute(select(FixedDevice.slug, FixedDevice.mac)).all()) == {
        "one": "02:00:00:00:0c:02",
        "two": "02:00:00:00:0c:01",
    }


def test_an_owners_link_opens_one_device_until_it_is_made_anew_or_revoked(db: Session, town: Town) -> None:
    device = register_device(db)
    owners = OwnerLinks(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))
    assert owners.secret_of(device) is None
    owners.make(db, device, actor=TESTER, now=NOON)
    db.flush()
    db.expire(device)
    first = owners.secret_of(device) or ""
    assert links.find(db, first) is device
    owners.make(db, device, actor=TESTER, now=NOON + timedelta(microseconds=1))
    db.flush()
    second = owners.secret_of(device) or ""
    assert (links.find(db, first), links.find(db, second)) == (None, device)
    assert OwnerLinks(Secret("another-secret-0123456789abcdefghijklmnop")).secret_of(device) is None
    links.revoke(db, device, actor=TESTER, now=NOON)
    db.flush()
    assert (links.find(db, second), links.find(db, ""), links.find(db, "x" * 43)) == (None, None, None)
