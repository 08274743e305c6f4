from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.nftables.accounting import Alert, Ledger, Reading
from gateways.nftables.addresses import (
    FORGET_SECONDS,
    MOST_ADDRESSES_4,
    MOST_ADDRESSES_6,
    MOST_CARDS,
    AddressBook,
    Claim,
    DhcpLease,
    parse_leases,
)
from gateways.nftables.configuration import Configuration, read
from gateways.nftables.elements import ActualState, Changes, DesiredClient, Existing, LeaseElement, note, plan
from gateways.nftables.kernel import Count
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.table_layout import NO_GRANT
from gateways.nftables.transactions import script
from gateways.types import Client, MacAddress, PortRange
from tests.gateways.test_configuration import written

ADA, BO = MacAddress("02:00:00:00:00:01"), MacAddress("02:00:00:00:00:02")
SLOW, FAST = RateClass(1000, 500), RateClass(55000, 15000)


def wanted(
    number: int, *, ends: float, rates: RateClass = FAST, mac: MacAddress = ADA, host: int = 5
) -> DesiredClient:
    return DesiredClient(number, ((mac, ipaddress.ip_address(f"10.66.0.{host}")),), LeaseElement(rates, ends))


def carried(held: ActualState, *passes: DesiredClient, now: float = 0.0) -> Changes:
    changes = plan(
        {each.number: each for each in passes},
        held,
        {each.number for each in passes} | set(held.leases),
        now=now,
    )
    note(changes, held)
    return changes


def test_nothing_is_changed_where_the_kernel_fits() -> None:
    held = ActualState()
    assert carried(held, wanted(17, ends=100))
    assert not carried(held, wanted(17, ends=100.4))


def test_an_element_that_may_have_gone_is_never_deleted_plainly() -> None:
    held = ActualState()
    carried(held, wanted(17, ends=100))
    sure = script(carried(held, wanted(17, ends=200), now=50), now=50)
    assert sure.index("delete element") < sure.index("add element") and "150000ms" in sure
    unsure = script(carried(held, wanted(17, ends=300), now=199), now=199).splitlines()
    assert [line.split()[0] for line in unsure] == ["add", "delete", "add"]
    ended = script(carried(held, now=299), now=299)
    assert ended.index("add element inet arobase lease") < ended.index("delete element inet arobase lease")
    carried(held, wanted(17, ends=500), now=300)
    assert "add element inet arobase lease" not in script(carried(held, now=300), now=300)


def test_a_lease_whose_time_is_over_is_not_given_again() -> None:
    assert not carried(ActualState(), wanted(17, ends=10), now=10)


def test_a_timeout_is_never_0_which_would_be_for_ever() -> None:
    assert "timeout 1ms" in script(carried(ActualState(), wanted(17, ends=10.0), now=9.9999), now=9.9999)


def test_another_rate_moves_the_lease_to_another_set() -> None:
    held = ActualState()
    carried(held, wanted(17, ends=100, rates=SLOW))
    changes = carried(held, wanted(17, ends=100, rates=FAST))
    assert changes.ended == [(17, SLOW, Existing.SOMETHING)] and changes.classes == [FAST]
    assert held.leases[17].rates == FAST


def test_a_pair_that_another_number_had_is_taken_from_it() -> None:
    held = ActualState()
    carried(held, wanted(17, ends=100))
    changes = carried(held, wanted(18, ends=100))
    assert list(changes.unbound.values()) == [17]
    assert held.pairs_of.keys() == {18} and set(held.leases) == {18}


def test_ports_are_taken_before_they_are_given_again() -> None:
    held, block = ActualState(), PortRange(ipaddress.IPv4Address("203.0.113.10"), 5120, 6127)
    carried(held, wanted(17, ends=100)._replace(ports=block))
    assert held.ports == {17: block}
    assert not carried(held, wanted(17, ends=100)._replace(ports=block))
    other = wanted(18, ends=100, mac=BO, host=6)._replace(ports=block)
    lines = script(carried(held, other), now=0).splitlines()
    deleted, added = (
        [index for index, line in enumerate(lines) if line.startswith(f"{verb} element inet arobase owned")]
        for verb in ("delete", "add")
    )
    assert deleted < added and held.ports == {18: block}
    assert not carried(held, other)
    assert carried(held) and held.ports == {}


def test_a_card_has_one_number_and_an_address_one_holder() -> None:
    held = ActualState()
    carried(held, wanted(17, ends=100)._replace(card=ADA))
    changes = carried(held, wanted(18, ends=100, mac=BO)._replace(card=BO))
    text = script(changes, now=0)
    assert held.holders == {ipaddress.ip_address("10.66.0.5"): BO}
    # The address goes from hand to hand, and is never free between.
    assert "delete element inet arobase held4" not in text and changes.released == []
    assert held.cards == {BO: 18} and held.card_of == {18: BO}
    assert carried(held).released == [ipaddress.ip_address("10.66.0.5")]
    assert held.holders == {} and held.cards == {}


def test_what_no_grant_holds_is_the_lessees() -> None:
    held, address = ActualState(), ipaddress.ip_address("10.66.0.5")

    def fit(*passes: DesiredClient, lessee: MacAddress | None) -> Changes:
        known = {each.number: each for each in passes}
        changes = plan(known, held, {17}, now=0, lessee=lambda _: lessee, moved=[address])
        note(changes, held)
        return changes

    fit(lessee=ADA)
    assert held.pairs == {(ADA, address): NO_GRANT} and not fit(lessee=ADA)
    fit(wanted(17, ends=100), lessee=ADA)
    assert held.pairs == {(ADA, address): 17} and not fit(wanted(17, ends=100), lessee=ADA)
    assert fit(lessee=ADA).released == []
    assert held.pairs == {(ADA, address): NO_GRANT}
    fit(lessee=BO)
    assert held.pairs == {(BO, address): NO_GRANT} and held.pairs_of.keys() == {NO_GRANT}
    assert fit(lessee=None).released == [address]
    assert not held.pairs and not held.holders


FIVE, NINE = ipaddress.ip_address("10.66.0.5"), ipaddress.ip_address("10.66.0.9")


def book_of(tmp_path: Path, *granted: MacAddress) -> AddressBook:
    return AddressBook(read(written(tmp_path)), granted.__contains__)


def test_dhcp_knows_ipv4_better_than_the_grant(tmp_path: Path) -> None:
    book = book_of(tmp_path, ADA)
    assert book.claim(ADA, FIVE, now=0) is Claim.NEWS and book.claim(ADA, FIVE, now=0) is Claim.KNOWN
    leases = f"1 {BO} 10.66.0.5 * *\n1 {ADA} 10.66.0.9 ada *\n1 {ADA} 192.0.2.1 * *\nduid 00:01\n1 x y\n"
    assert book.lease(parse_leases(leases), now=1) == ({ADA, BO}, [])
    assert book.addresses(ADA) == (NINE,) and book.addresses(BO) == (FIVE,)
    assert book.claim(ADA, FIVE, now=2) is Claim.REFUSED
    assert book.claim(ADA, ipaddress.ip_address("10.66.0.77"), now=2) is Claim.REFUSED
    # A renewal of the DHCP lease says that the client is here.
    assert book.lease(parse_leases(leases.replace(f"1 {BO}", f"2 {BO}")), now=3) == ({BO}, [])


CARDS = [MacAddress(f"02:00:00:00:00:0{number}") for number in range(4)]
# Of clients, the portal's own, somebody else's.
PLACES = ["10.66.0.5", "10.66.0.6", "10.66.0.7", "fd66::5", "10.66.0.1", "192.0.2.7"]
OF_CLIENTS = st.sampled_from(PLACES).map(ipaddress.ip_address)
ONE_EACH = st.builds(Client, st.sampled_from(CARDS), st.tuples(OF_CLIENTS))
SOME_EACH = st.builds(Client, st.sampled_from(CARDS), st.lists(OF_CLIENTS, max_size=2).map(tuple))
LEASES = st.sampled_from(["", "", "", f"1 {CARDS[0]} 10.66.0.5 * *\n"]).map(parse_leases)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return read(written(tmp_path_factory.mktemp("book"), portal_addresses=["10.66.0.1"]))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 400, 700]), LEASES, st.lists(ONE_EACH, max_size=3) | st.lists(SOME_EACH)
        ),
        max_size=4,
    )
)
def test_many_claims_at_once_are_as_each_alone(
    configuration: Configuration, rounds: list[tuple[int, frozenset[DhcpLease], list[Client]]]
) -> None:
    each_alone, at_once = (AddressBook(configuration, CARDS[:2].__contains__) for _ in range(2))
    now = 0.0
    for passed, leases, clients in rounds:
        now += passed
        assert each_alone.lease(leases, now=now) == at_once.lease(leases, now=now)
        contested = [
            (mac, address)
            for mac, addresses in clients
            for address in addresses
            if each_alone.claim(mac, address, now=now) is Claim.CONTESTED
        ]
        assert at_once.claim_all(clients, now=now) == contested
        assert list(at_once.cards.items()) == list(each_alone.cards.items())
        assert at_once.holders == each_alone.holders


def test_a_lease_waits_while_who_is_online_holds_the_address_without_one(tmp_path: Path) -> None:
    book = book_of(tmp_path, ADA)
    book.claim(ADA, FIVE, now=0)
    leases = parse_leases(f"1 {BO} 10.66.0.5 * *\n")
    assert book.lease(leases, now=1) == ({BO}, [(BO, FIVE)])
    assert book.addresses(ADA) == (FIVE,) and book.lessee(FIVE) is None
    assert book.claim(BO, FIVE, now=2) is Claim.CONTESTED
    assert book.move(BO, FIVE, now=3) == ADA
    assert book.addresses(ADA) == () and book.lessee(FIVE) == BO
    # A stranger's address is the lessee's at once.
    book = book_of(tmp_path)
    book.claim(ADA, FIVE, now=0)
    assert book.lease(leases, now=1) == ({ADA, BO}, []) and book.addresses(BO) == (FIVE,)


def test_an_address_is_first_come_first_served_and_a_cards_addresses_are_bounded(tmp_path: Path) -> None:
    inside = (ipaddress.ip_address("10.66.0.1"), ipaddress.ip_address("fd66::1"))
    book = AddressBook(replace(book_of(tmp_path).configuration, portal_addresses=inside), lambda _: False)
    address = ipaddress.ip_address("fd66::5")
    assert book.claim(ADA, address, now=0) is Claim.NEWS and book.claim(ADA, address, now=0) is Claim.KNOWN
    assert book.claim(BO, address, now=0) is Claim.CONTESTED
    for foreign in ("2001:db8::5", "192.0.2.7"):
        assert book.claim(BO, ipaddress.ip_address(foreign), now=0) is Claim.REFUSED
    # Nor does anybody become the portal, even where that stands among the clients.
    assert [book.claim(BO, own, now=0) for own in inside] == [Claim.REFUSED, Claim.REFUSED]
    for number in range(100):
        book.claim(ADA, ipaddress.ip_address(f"fd66::1:{number:x}"), now=0)
        book.claim(ADA, ipaddress.ip_address(f"10.66.0.{number + 20}"), now=0)
    assert len(book.addresses(ADA)) == MOST_ADDRESSES_4 + MOST_ADDRESSES_6 == len(book.holders)
    assert book.claim(BO, address, now=0) is Claim.NEWS


def test_cards_that_were_made_up_are_forgotten(tmp_path: Path) -> None:
    book = book_of(tmp_path, ADA)
    book.claim(ADA, FIVE, now=0)
    book.lease(parse_leases(f"1 {BO} 10.66.0.9 * *\n"), now=0)
    for number in range(2 * MOST_CARDS):
        mac = MacAddress(
            f"06:00:{number >> 24:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        )
        book.claim(mac, ipaddress.ip_address(f"fd66::2:{number >> 16:x}:{number & 65535:x}"), now=1)
    assert len(book.cards) <= MOST_CARDS + 1 and len(book.holders) <= MOST_CARDS + 3
    for number in range(MOST_CARDS // 4):
        book.claim(ADA, ipaddress.ip_address(f"fd66::3:{number:x}"), now=2 + FORGET_SECONDS)
    # Who is online, and who has a lease, stays.
    assert book.cards.keys() == {ADA, BO} and book.addresses(BO) == (NINE,) and FIVE in book.addresses(ADA)


def nowhere(number: int) -> tuple[()]:
    return ()


def reading(at: float, held: set[int], **up: int) -> Reading:
    counts = {int(name[1:]): Count(size, 1) for name, size in up.items()}
    return Reading(at, counts, {}, frozenset(held), {})


def test_idle_time_counts_from_the_last_byte_a_client_sent() -> None:
    ledger = Ledger()
    idle = [
        next(ledger.rows(reading(at, {17}, n17=size), nowhere))["idle_seconds"]
        for at, size in ((0, 5), (4, 5), (5, 6), (7, 6))
    ]
    assert idle == [0, 4, 0, 2]


def test_the_last_bytes_are_told_until_they_were_taken_and_then_no_more() -> None:
    ledger = Ledger()
    after = reading(9, set(), n17=70)
    for _ in range(2):
        assert [row["bytes_up"] for row in ledger.rows(after, nowhere)] == [70]
    ledger.settle(after)
    assert not list(ledger.rows(after, nowhere))
    # The same number may be granted again.
    assert list(ledger.rows(reading(10, {17}, n17=70), nowhere))


def test_one_alert_for_one_burst() -> None:
    alert = Alert(quiet_seconds=60)
    seen = [
        alert.grew(total, at)
        for total, at in ((9, 0), (9, 1), (50, 2), (90, 30), (95, 80), (95, 200), (96, 201))
    ]
    assert seen == [False, False, True, False, False, False, True]
