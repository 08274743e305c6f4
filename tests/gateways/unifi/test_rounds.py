"""What a controller holds becomes what the leases say, whatever it answers meanwhile."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from gateways.faults import FaultCode
from gateways.types import parse_mac
from portal.gateway_api import notify_gateway
from portal.gateway_api.unifi import self_test, set_up
from sessions import end
from sessions.gateway_health import dialogues
from sessions.models import EndReason
from sites.models import Gateway
from tests.gateways.contract.drivers.unifi import UnifiDriver, opened
from tests.gateways.unifi.recorded import PASSWORD
from tests.town import make_gateway

STRANGER = parse_mac("02:00:00:00:0f:0f")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateways.unifi.controller.REST_SECONDS", 0.0)
    monkeypatch.setattr("portal.gateway_api.unifi_rounds.PAUSE_SECONDS", 0.01)


def faults_of(spot: UnifiDriver) -> list[str]:
    spot.portal.services.places.forget()
    return [fault["code"] for fault in spot.portal.gateway.health.get("faults") or []]


def is_behind(spot: UnifiDriver) -> bool:
    spot.portal.services.places.forget()
    return spot.portal.gateway.confirmed_version < spot.portal.gateway.feed_version


def words_with(spot: UnifiDriver) -> list[str]:
    with spot.portal.services.make_session() as db:
        return [
            f"{one.said} {one.answered}" for one in dialogues.recent(db, gateway_id=spot.portal.gateway.id)
        ]


def test_a_success_that_was_none_is_found_and_tried_again_at_once(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    spot.box.faults.silent_successes = 2
    access = spot.portal.let_in(phone, seconds=600)
    assert spot.portal.is_confirmed(access) and spot.passes(phone)
    assert len([one for one in spot.box.commands("authorize-guest") if one["mac"] == phone.mac]) == 3


def test_a_success_that_stays_none_is_told_and_never_confirmed(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    spot.box.faults.silent_successes = 1000
    spot.wait(1)
    access = spot.portal.let_in(phone, seconds=600)
    assert not spot.portal.is_confirmed(access) and is_behind(spot)
    assert faults_of(spot) == [FaultCode.NOT_AUTHORIZED]
    spot.box.faults.silent_successes = 0
    spot.wait(1)
    spot.portal.sweep()
    assert spot.portal.is_confirmed(access) and spot.passes(phone)
    assert faults_of(spot) == [] and not is_behind(spot)


def test_who_is_listed_and_does_not_pass_is_not_told_that_they_are_online(spot: UnifiDriver) -> None:
    phone, other = spot.newcomer(), spot.newcomer()
    spot.box.faults.stuck = {phone.mac}
    access = spot.portal.let_in(phone, seconds=600)
    assert not spot.portal.is_confirmed(access)
    # What is on its way to the access point is not begun anew at once.
    assert len([one for one in spot.box.commands("authorize-guest") if one["mac"] == phone.mac]) == 1
    # Nobody else waits for that one, and nobody else's end is pending for it.
    beside = spot.portal.let_in(other, seconds=600)
    assert spot.portal.is_confirmed(beside)
    spot.portal.end(beside)
    assert not spot.passes(other)
    assert spot.portal.lease(beside).release_confirmed_at is not None
    spot.box.faults.stuck = set()
    spot.portal.sweep()
    assert spot.portal.is_confirmed(access)


def test_an_end_that_another_process_told_in_between_is_not_undone(spot: UnifiDriver) -> None:
    """That process has taken access back; this one authorizes a moment later by what it had read before."""
    phone = spot.newcomer()

    def end_it(command: dict[str, object]) -> None:
        if command == {"cmd": "authorize-guest", "mac": phone.mac, "minutes": 10}:
            (number,) = spot.portal.numbers_of(phone)
            with spot.portal.services.make_session.begin() as db:
                end.end(db, number, reason=EndReason.STAFF, now=spot.clock())

    spot.box.meanwhile = end_it
    spot.portal.let_in(phone, seconds=600)
    assert not spot.passes(phone) and not is_behind(spot)


def test_who_is_authorized_by_hand_has_no_lease_and_is_turned_out(spot: UnifiDriver) -> None:
    spot.box.connect(STRANGER, "10.66.0.240")
    spot.box.command({"cmd": "authorize-guest", "mac": STRANGER, "minutes": 480})
    spot.wait(61)
    spot.portal.sweep()
    assert spot.box.end_of(STRANGER) is None


def test_who_was_let_in_by_hand_long_ago_and_is_connected_is_turned_out_too(spot: UnifiDriver) -> None:
    spot.box.connect(STRANGER, "10.66.0.240")
    spot.box.command({"cmd": "authorize-guest", "mac": STRANGER, "minutes": 600_000})
    spot.box.authorized[STRANGER].start -= 90 * 86400
    spot.wait(61)
    spot.portal.sweep()
    assert spot.box.end_of(STRANGER) is None


def test_a_stay_of_many_days_is_authorized_once(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    access = spot.portal.let_in(phone, seconds=7 * 86400)
    spot.wait(5 * 86400)
    spot.portal.sweep()
    assert len([one for one in spot.box.commands("authorize-guest") if one["mac"] == phone.mac]) == 1
    spot.portal.end(access)


@pytest.mark.parametrize("is_here", [True, False])
def test_an_end_is_done_though_the_controller_lists_it_on(spot: UnifiDriver, is_here: bool) -> None:
    spot.box.faults.lists_on = True
    phone = spot.newcomer()
    access = spot.portal.let_in(phone, seconds=600)
    if not is_here:
        del spot.box.stations[phone.mac]
    spot.portal.end(access)
    assert not spot.passes(phone) and not is_behind(spot)
    for _ in range(3):
        spot.wait(61)
        spot.portal.sweep()
    assert len([one for one in spot.box.commands("unauthorize-guest") if one["mac"] == phone.mac]) == 1
    # And is let in again as anybody is.
    spot.box.connect(phone.mac, str(phone.addresses[0]))
    assert spot.portal.is_confirmed(spot.portal.let_in(phone, seconds=600)) and spot.passes(phone)


def test_an_end_while_the_controller_is_away_is_pending_and_told_when_it_is_back(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    access = spot.portal.let_in(phone, seconds=600)
    spot.box.stop()
    spot.portal.end(access)
    spot.portal.sweep()
    assert is_behind(spot) and spot.passes(phone)
    spot.box.start()
    spot.portal.sweep()
    assert not is_behind(spot) and not spot.passes(phone)
    assert phone.mac in spot.box.unauthorized_at


def test_a_controller_that_is_away_is_noted_once_and_with_no_secret(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    spot.box.stop()
    spot.portal.let_in(phone, seconds=600)
    noted = len([words for words in words_with(spot) if "controller_away" in words])
    for _ in range(3):
        spot.portal.sweep()
    assert len([words for words in words_with(spot) if "controller_away" in words]) == noted > 0
    assert not [words for words in words_with(spot) if PASSWORD in words or "TOKEN" in words]
    spot.box.start()
    spot.portal.sweep()


def test_a_slow_controller_holds_up_one_thread_and_no_other(spot: UnifiDriver) -> None:
    spot.box.faults.drip_seconds = 0.05
    slow = threading.Thread(target=spot.portal.let_in, args=(spot.newcomer(),), kwargs={"seconds": 600})
    asked, deadline = len(spot.box.calls), time.monotonic() + 10
    slow.start()
    while len(spot.box.calls) < asked + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    late = spot.portal.let_in(spot.newcomer(), seconds=600)
    took = time.monotonic() - started
    spot.box.faults.drip_seconds = 0.0
    slow.join()
    assert took < 3
    spot.portal.sweep()
    assert spot.portal.is_confirmed(late)


def test_many_who_come_at_once_are_told_together_and_each_once(spot: UnifiDriver) -> None:
    phones = [spot.newcomer() for _ in range(8)]
    opened_ones = [spot.portal.let_in(phone, seconds=600, notify=False) for phone in phones]
    before = len(spot.box.commands("authorize-guest"))
    threads = [threading.Thread(target=spot.portal.notify) for _ in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(spot.portal.is_confirmed(access) for access in opened_ones)
    assert len(spot.box.commands("authorize-guest")) - before == len(phones)


def test_two_networks_at_one_site_of_a_controller_leave_each_others_guests_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as spot:
        first = spot.newcomer()
        spot.portal.let_in(first, seconds=600)
        with spot.portal.services.make_session.begin() as db:
            record = db.scalars(select(Gateway)).one()
            twin = make_gateway("gate-1", record.site, record.network, kind=record.kind)
            twin.client_prefixes, twin.options = ["10.67.0.0/24"], dict(record.options)
            db.add(twin)
        spot.portal.services.places.forget()
        found = spot.portal.services.places.by_identity("gate-1")
        assert found is not None
        with spot.portal.app.app_context():
            notify_gateway(found)
        assert spot.passes(first)
        assert spot.box.logins == 1


def test_a_controller_with_another_clock_keeps_our_ends(spot: UnifiDriver) -> None:
    spot.box.faults.wrong_clock_seconds = 7200.0
    phone = spot.newcomer()
    access = spot.portal.let_in(phone, seconds=600)
    end = spot.end_of(phone)
    assert end is not None and abs(end - spot.portal.lease(access).until.timestamp()) < 3
    spot.wait(61)
    spot.portal.sweep()
    assert len([one for one in spot.box.commands("authorize-guest") if one["mac"] == phone.mac]) == 1


@pytest.mark.parametrize(
    ("fault", "finding"),
    [({}, None), ({"read_only": True}, "controller_permission"), ({"status": 502}, "controller_away")],
    ids=["well", "read-only", "starting"],
)
def test_the_self_test_names_what_is_missing(
    spot: UnifiDriver, fault: dict[str, object], finding: str | None
) -> None:
    for name, value in fault.items():
        setattr(spot.box.faults, name, value)
    with spot.portal.app.app_context():
        found = [one.name for one in self_test(spot.portal.gateway)]
        lines = set_up(spot.portal.gateway)
    assert found == ([finding] if finding else [])
    assert not lines.secrets and PASSWORD not in "".join(line.text for line in lines.lines)


def test_a_credential_that_everybody_may_read_is_told(spot: UnifiDriver) -> None:
    file = Path(spot.portal.gateway.option("credential_file"))
    file.chmod(0o644)
    with spot.portal.app.app_context():
        assert [one.name for one in self_test(spot.portal.gateway)] == ["controller_credential_open"]
    file.chmod(0o600)
