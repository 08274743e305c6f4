"""What every kind of gateway does, on the real part: what it can, it does; what it cannot, policy does not promise."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.util import find_spec

import pytest
from _pytest.mark.structures import ParameterSet

from gateways import registry
from gateways.kinds import Capabilities, Learning
from gateways.types import Client, Grant
from sessions import policy
from sessions.gateway_health import outages
from sessions.models import AccessSession, EndReason
from tests.gateways.contract import made_up
from tests.gateways.contract.driver import Driver

DRIVERS = "tests.gateways.contract.drivers"
PATIENCE_SECONDS = 10.0
# A kernel counts whole seconds, and reading takes a moment.
READING_SECONDS = 2.0
# A bucket holds a few packets of 64 kB.
BURST_BYTES = 262_144
SHARED_FINDINGS = {"for_free_access_alone", "not_heard", "no_landing", "nothing_confirmed"}
SHORTEST_SECRET = 20


# Run whole before a release alone: others of their family stand for them day by day.
BEFORE_A_RELEASE = {"aruba", "cisco", "meraki", "mikrotik", "omada", "opnsense", "pfsense", "ruckus", "uspot"}
BEFORE_A_RELEASE |= {"enterprise", "opennds", "opennds_carried"}
# Of these, what a daemon of some seconds is tried for every day.
EVERY_DAY = {
    "opennds": {
        "test_nobody_passes_but_who_is_let_in_and_until_the_leases_end",
        "test_the_lines_for_its_box_show_no_secret_without_the_password",
    }
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each claim for each kind that there is."""
    if "driver" not in metafunc.fixturenames:
        return
    claim = metafunc.function.__name__
    kinds = [_chosen(kind, claim) for kind in sorted([*registry.kinds(), *made_up.NAMES])]
    metafunc.parametrize("driver", kinds, indirect=True, scope="module")


def _chosen(kind: str, claim: str) -> ParameterSet:
    is_late = kind in BEFORE_A_RELEASE and claim not in EVERY_DAY.get(kind, ())
    return pytest.param(kind, marks=[pytest.mark.release] if is_late else [])


@pytest.fixture(scope="module")
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One gateway of each kind, with everything that it needs."""
    kind = str(request.param)
    with made_up.added():
        if find_spec(f"{DRIVERS}.{kind}") is None:
            pytest.fail(f"the kind {kind!r} has no driver: write {DRIVERS.replace('.', '/')}/{kind}.py")
        with importlib.import_module(f"{DRIVERS}.{kind}").opened(tmp_path_factory.mktemp(kind)) as opened:
            yield opened


@pytest.fixture
def can(driver: Driver) -> Capabilities:
    return driver.portal.gateway.capabilities


@pytest.fixture
def client(driver: Driver) -> Client:
    return driver.newcomer()


def await_(driver: Driver, claim: Callable[[], object]) -> None:
    """Until `claim` holds, the gateway asking meanwhile as it does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    driver.learn()
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
        driver.learn()


def let_in(driver: Driver, client: Client, *, seconds: int) -> AccessSession:
    """Let the client in, and wait until it passes and that is confirmed."""
    access = driver.portal.let_in(client, seconds=seconds)
    await_(driver, lambda: driver.passes(client) and driver.portal.is_confirmed(access))
    return access


def shortest(can: Capabilities) -> int:
    """A stay that is short, and that the gateway can keep."""
    return max(6, 2 * can.finest_seconds + can.lease_reach_seconds)


def test_nobody_passes_but_who_is_let_in_and_until_the_leases_end(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    stranger = driver.newcomer()
    assert not driver.passes(client)
    access = let_in(driver, client, seconds=600)
    assert not driver.passes(stranger)
    # What every kind is asked for has come; its own may look further than this stage goes.
    assert not {finding.name for finding in driver.portal.findings()} & SHARED_FINDINGS
    end, until = driver.end_of(client), driver.portal.lease(access).until.timestamp()
    if can.ends_by_itself:
        assert end is not None
        # In whole steps, which were reckoned so that none is lost on the way.
        early = can.finest_seconds if can.revokes else can.lease_reach_seconds
        assert until - early - READING_SECONDS <= end <= until + READING_SECONDS
    else:
        assert end is None


def test_access_ends_at_the_deadline(driver: Driver, can: Capabilities, client: Client) -> None:
    access = let_in(driver, client, seconds=shortest(can))
    # The round that calls everybody is over: what follows is told because it has changed.
    driver.portal.sweep()
    driver.wait(shortest(can) + READING_SECONDS)
    driver.learn()
    if can.ends_by_itself:
        await_(driver, lambda: not driver.passes(client))
    else:
        assert driver.passes(client)
    driver.portal.sweep()
    await_(driver, lambda: not driver.passes(client))
    assert driver.portal.session(access).end_reason is EndReason.EXPIRED


def test_a_lease_ends_on_a_step_of_the_gateways_time(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    """Half a step more than it can keep is not promised; where the portal tells the end, all of it is."""
    step, reach = can.lease_step_seconds, can.lease_reach_seconds
    wanted = 600 + step // 2
    access = driver.portal.let_in(client, seconds=wanted)
    kept = (access.until - access.started_at).total_seconds()
    assert kept == reach + (wanted - reach) // step * step
    assert driver.portal.lease(access).until == access.until


def test_a_stay_is_renewed_while_it_lasts_or_after_its_end(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    driver.portal.rules(renewal_seconds=300)
    access = let_in(driver, client, seconds=shortest(can))
    window = driver.portal.gateway.renewal_window
    old, now = driver.portal.session(access).until, driver.portal.clock()
    lease_id = driver.portal.renew(access, client)
    if can.extends:
        assert lease_id is not None and policy.may_renew(now=now, until=old, window=window)
        new = driver.portal.session(access).until
        assert new >= max(old, now) + timedelta(seconds=shortest(can))
        await_(driver, lambda: driver.portal.is_confirmed(access))
        driver.wait((old - driver.portal.clock()).total_seconds() + 1.0)
        assert driver.passes(client) or driver.portal.clock() >= new
        return
    assert lease_id is None and not policy.may_renew(now=now, until=old, window=window)
    assert driver.portal.session(access).until == old
    driver.wait(shortest(can))
    driver.portal.sweep()
    assert not driver.passes(client)
    let_in(driver, client, seconds=shortest(can))


def test_access_is_taken_back_or_runs_to_the_end_that_was_granted(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    access = let_in(driver, client, seconds=600)
    driver.portal.end(access)
    lease = driver.portal.lease(access)
    assert driver.portal.session(access).end_reason is EndReason.STAFF
    if can.revokes:
        assert lease.released_at is not None
        await_(driver, lambda: not driver.passes(client))
    else:
        # The table of leases says what is: this client passes until then.
        assert lease.released_at is None
        driver.learn()
        assert driver.passes(client)
        driver.wait((lease.until - driver.portal.clock()).total_seconds())
        assert not driver.passes(client)


def test_rates_are_kept_or_not_in_the_lease(driver: Driver, can: Capabilities, client: Client) -> None:
    driver.portal.rules(rate_down_kbps=800, rate_up_kbps=800)
    limited = let_in(driver, client, seconds=600)
    driver.portal.rules(rate_down_kbps=0, rate_up_kbps=0)
    lease = driver.portal.lease(limited)
    if not can.limits_rates:
        assert (lease.rate_down_kbps, lease.rate_up_kbps) == (0, 0)
        return
    assert (lease.rate_down_kbps, lease.rate_up_kbps) == (800, 800)
    free = driver.newcomer()
    let_in(driver, free, seconds=600)
    slow, fast = (driver.download(one, bytes_sent=2_000_000) for one in (client, free))
    # 800 kbit/s are 100,000 bytes each second, after what a gateway may let through at once.
    assert slow.size < 1.2 * (BURST_BYTES + 100_000 * slow.seconds) < fast.size


def test_volume_is_counted_or_not_made_up(driver: Driver, can: Capabilities, client: Client) -> None:
    access = let_in(driver, client, seconds=600)
    if not can.accounts:
        driver.wait(60)
        driver.portal.sweep()
        assert driver.portal.downloaded(access) == 0
        return
    arrived = driver.download(client, bytes_sent=100_000).size
    assert arrived
    await_(driver, lambda: driver.portal.downloaded(access) >= arrived)


def test_whoever_is_gone_is_noticed_or_stays_to_the_end(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    access = let_in(driver, client, seconds=600)
    driver.portal.rules(idle_seconds=2)
    try:
        if can.reports_presence:

            def is_idle() -> bool:
                driver.portal.sweep()
                return driver.portal.session(access).end_reason is EndReason.IDLE

            await_(driver, is_idle)
            await_(driver, lambda: not driver.passes(client))
        else:
            driver.wait(300)
            driver.portal.sweep()
            assert driver.portal.session(access).ended_at is None
    finally:
        driver.portal.rules(idle_seconds=0)


def test_a_gateway_that_lost_its_memory_has_it_again(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    access = let_in(driver, client, seconds=600)
    driver.power_cut()
    # The sweep of a minute later, where nobody but the portal can begin.
    driver.wait(61 if can.learns is Learning.PUSHED else 0)
    driver.portal.sweep()
    await_(driver, lambda: driver.passes(client))
    end = driver.end_of(client)
    assert end is None or end <= driver.portal.lease(access).until.timestamp() + READING_SECONDS


def test_without_the_portal_nobody_loses_what_they_have_and_news_is_there_when_it_is_back(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    let_in(driver, client, seconds=600)
    late = driver.newcomer()
    driver.portal_away()
    try:
        assert driver.passes(client)
        # Committed by another process of the portal, which cannot reach the gateway either.
        access = driver.portal.let_in(late, seconds=600, notify=False)
        driver.learn()
        assert driver.passes(client) and not driver.passes(late)
    finally:
        driver.portal_back()
    driver.portal.sweep()
    await_(driver, lambda: driver.passes(late) and driver.portal.is_confirmed(access))
    assert driver.passes(client)


def test_a_change_is_learnt_in_the_manner_that_the_kind_declares(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    driver.portal.sweep()
    access = driver.portal.let_in(client, seconds=600, notify=False)
    match can.learns:
        case Learning.FOLLOWED:
            pass
        case Learning.PUSHED:
            assert not driver.portal.is_confirmed(access)
            # As where a command line committed, and the sweep finds what is not confirmed.
            driver.portal.sweep()
            assert driver.portal.is_confirmed(access)
        case Learning.PULLED | Learning.CARRIED:
            driver.portal.notify()
            assert not driver.passes(client)
            driver.learn()
            assert driver.passes(client)
    await_(driver, lambda: driver.passes(client))


def test_silence_is_noticed_where_it_says_something(driver: Driver, can: Capabilities) -> None:
    later = driver.portal.clock() + timedelta(hours=1)
    with driver.portal.services.make_session() as db:
        noticed = outages.notice(db, now=later)
        db.rollback()
    assert noticed == int(can.is_heard)


def test_the_lines_for_its_box_show_no_secret_without_the_password(driver: Driver) -> None:
    """Long enough for every secret, and each of them named: what is made by the portal looks like nothing else."""
    lines = driver.portal.lines()
    for secret in lines.secrets:
        assert len(secret) >= SHORTEST_SECRET and any(secret in one.text for one in lines.lines)
    hidden = "\n".join(f"{one.where}\n{one.text}" for one in lines.masked().lines)
    assert not re.search(r"(?<![a-z2-7])[a-z2-7]{26,52}(?![a-z2-7])", hidden)
    assert driver.portal.credential not in hidden


def test_no_kind_claims_what_a_grant_cannot_say(can: Capabilities) -> None:
    """A grant carries no volume yet: a kind that limits it needs that first, and a test here."""
    assert can.limits_volume is ("volume_bytes" in Grant._fields)


def test_a_stay_that_ended_in_a_silence_is_told_as_such_where_that_says_something(
    driver: Driver, can: Capabilities, client: Client
) -> None:
    """The last one here: its sweep is of an hour that has not come."""
    access = let_in(driver, client, seconds=1200)
    driver.portal.sweep(later=timedelta(hours=1))
    reason = EndReason.GATEWAY_LOST if can.is_heard else EndReason.EXPIRED
    assert driver.portal.session(access).end_reason is reason
