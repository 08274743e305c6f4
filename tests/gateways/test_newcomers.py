from __future__ import annotations

import copy

from hypothesis import example, given
from hypothesis import strategies as st

from gateways.nftables.client_addresses import read_address
from gateways.nftables.elements import ActualState, DesiredClient, LeaseElement, nobody, note, plan
from gateways.nftables.newcomers import admit, classes, newcomers
from gateways.nftables.rate_classes import rate_class
from gateways.types import Client, Grant, IpAddress, MacAddress

MACS = [MacAddress(f"02:00:00:00:00:{number:02x}") for number in range(4)]
ADDRESSES = [read_address(text) for text in ("10.66.0.5", "10.66.0.6", "fd66::5", "fd66::6")]
NOW = 1000.0
# Whose each address is, by the address book: nobody's, or one card's.
OWNERS = st.tuples(*[st.sampled_from([None, *MACS]) for _ in ADDRESSES])
GRANTS = st.lists(
    st.builds(
        Grant,
        st.integers(1, 5),
        st.builds(Client, st.sampled_from(MACS), st.just(())),
        st.sampled_from([NOW - 1, NOW, NOW + 4, NOW + 900]),
        st.sampled_from([0, 55_000]),
        st.just(15_000),
        resolver=st.sampled_from([None, None, ADDRESSES[0]]),
    ),
    unique_by=(lambda each: each.number, lambda each: each.client.mac),
)
Owned = tuple[MacAddress | None, ...]
LAST = (None, None, None, MACS[0])


def own(owners: Owned, mac: MacAddress) -> tuple[IpAddress, ...]:
    return tuple(address for address, owner in zip(ADDRESSES, owners, strict=True) if owner == mac)


def wanted(grants: list[Grant], owners: Owned) -> dict[int, DesiredClient]:
    found = {}
    for each in grants:
        mac = each.client.mac
        pairs = tuple((mac, address) for address in own(owners, mac))
        lease = LeaseElement(rate_class(each.rate_down_kbps, each.rate_up_kbps), each.until)
        found[each.number] = DesiredClient(each.number, pairs, lease, card=mac, resolver=each.resolver)
    return found


def fit(held: ActualState, wishes: dict[int, DesiredClient], owners: Owned, *, leased: bool = False) -> None:
    """Make the kernel fit these wishes, and let DHCP keep what they leave, where it has leased all."""

    def lessee(address: IpAddress) -> MacAddress | None:
        return owners[ADDRESSES.index(address)]

    note(
        plan(
            wishes,
            held,
            wishes,
            now=NOW,
            lessee=lessee if leased else nobody,
            moved=ADDRESSES if leased else (),
        ),
        held,
    )


# DHCP alone had given the newcomer its address.
@example([], LAST, [Grant(2, Client(MACS[0], ()), NOW + 900, 0, 15_000)], LAST, True)
@given(GRANTS, OWNERS, GRANTS, OWNERS, st.booleans())
def test_whoever_is_let_in_straight_has_what_a_comparison_would_give(
    before: list[Grant], had: Owned, grants: list[Grant], owners: Owned, by_dhcp: bool
) -> None:
    compared = ActualState()
    fit(compared, wanted(before, had), had, leased=by_dhcp)
    straight = copy.deepcopy(compared)
    # One card has one grant: what it had under another number has gone with the answer.
    wishes = wanted(grants, owners)
    fit(compared, wishes, owners)

    new = newcomers(grants, straight)
    # In pieces, each made before the kernel has told of the one before it.
    pieces = [
        admit(
            new[start : start + 2],
            straight,
            now=NOW,
            end=lambda grant: grant.until,
            addresses=lambda mac: own(owners, mac),
        )
        for start in range(0, len(new), 2)
    ]
    leased = [(number, lease) for changes in pieces for number, lease, _ in changes.leased]
    straight.classes |= {lease.rates for _, lease in leased}
    assert {lease.rates for _, lease in leased} <= classes(new)
    for changes in pieces:
        note(changes, straight)
    admitted = {number for number, _ in leased}
    fit(straight, {n: each for n, each in wishes.items() if n not in admitted}, owners)
    assert straight == compared


def test_new_cards_under_new_numbers_are_let_in_straight_and_no_others() -> None:
    held = ActualState()
    seventeen = Grant(17, Client(MACS[0], ()), NOW + 900, 0, 0)
    note(plan(wanted([seventeen], (None,) * 4), held, [17], now=NOW), held)
    of_a_known_card = Grant(18, Client(MACS[0], ()), NOW + 900, 0, 0)
    renewed = seventeen._replace(client=Client(MACS[1], ()), until=NOW + 1800)
    confined = Grant(19, Client(MACS[2], ()), NOW + 900, 0, 0, destinations=())
    new = Grant(20, Client(MACS[3], ()), NOW + 900, 0, 0)
    assert newcomers([of_a_known_card, renewed, confined, new], held) == [new]
    over = new._replace(until=NOW)
    assert not admit([over], held, now=NOW, end=lambda grant: grant.until, addresses=lambda _: ())
