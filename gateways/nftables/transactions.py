"""A set of changes as one transaction of nft. Pure text."""

from __future__ import annotations

from gateways.nftables.elements import Changes, Existing, LeaseElement
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.reach import SETS, element, set_of
from gateways.nftables.ruleset import add_class
from gateways.nftables.table_layout import NO_GRANT, TABLE
from gateways.types import PortRange


def script(changes: Changes, *, now: float) -> str:
    """The transaction for nft. One bad line aborts all of it, so nothing is deleted that may be gone."""
    lines = [add_class(rates) for rates in changes.classes]
    lines += _unbind_lines(changes)
    lines += _port_lines(changes)
    lines += _reach_lines(changes)
    lines += _resolver_lines(changes)
    lines += _statement("delete", "cards", list(changes.struck))
    lines += _statement("add", "cards", [f"{card} : {n}" for card, n in changes.enrolled.items()])
    for version in (4, 6):
        bound = [(mac, ip, n) for (mac, ip), n in changes.bound.items() if ip.version == version]
        lines += _statement("add", f"clients{version}", [f"{mac} . {ip} : {n}" for mac, ip, n in bound])
        lines += _statement("add", f"held{version}", [str(ip) for _, ip, _ in bound])
    for rates in sorted({rates for _, rates in changes.ended}):
        numbers = [number for number, each in changes.ended if each == rates]
        lines += _vanish(rates.lease_set, [str(number) for number in numbers], timeout=" timeout 1s")
    for rates in sorted({lease.rates for _, lease, _ in changes.leased}):
        lines += _lease_lines(rates, [each for each in changes.leased if each[1].rates == rates], now)
    return "".join(lines)


def _lease_lines(rates: RateClass, leased: list[tuple[int, LeaseElement, Existing]], now: float) -> list[str]:
    """Only a new element has the new timeout on every kernel, so an element that is there goes first.

    Deleting makes the kernel wait for its readers, some 15 ms: a new client is not made to wait for that.
    """
    name = rates.lease_set
    there = [str(number) for number, _, before in leased if before is Existing.SOMETHING]
    perhaps = [str(number) for number, _, before in leased if before is Existing.PERHAPS]
    lines = _statement("delete", name, there) + _vanish(name, perhaps, timeout=" timeout 1s")
    # Rounded down, and never 0, which nft would read as "for ever".
    left = [(number, max(1, int((lease.ends - now) * 1000))) for number, lease, _ in leased]
    return lines + _statement("add", name, [f"{number} timeout {ms}ms" for number, ms in left])


def _port_lines(changes: Changes) -> list[str]:
    """Ports have no time of their own: what is taken is surely there."""
    lines = _statement("delete", "blocks", [str(number) for number in changes.taken])
    lines += _statement("delete", "limited", [str(number) for number in changes.taken])
    lines += _statement("delete", "owned", [f"{n} . {_range(ports)}" for n, ports in changes.taken.items()])
    if changes.given:
        lines += _statement("add", "limited", ["0", *map(str, changes.given)])
    lines += _statement("add", "blocks", [f"{n} : {_range(ports)}" for n, ports in changes.given.items()])
    return lines + _statement(
        "add", "owned", [f"{n} . {_range(ports)}" for n, ports in changes.given.items()]
    )


def _reach_lines(changes: Changes) -> list[str]:
    """These have no time of their own either: a number is confined before it may pass, in the one transaction."""
    lines = _statement("delete", "confined", [str(number) for number in changes.freed])
    for verb, each in (("delete", changes.freed), ("add", changes.confined)):
        for name in SETS:
            parts = [(number, part) for number, own in each.items() for part in own if set_of(part) == name]
            lines += _statement(verb, name, [element(number, part) for number, part in parts])
    return lines + _statement("add", "confined", [str(number) for number in changes.confined])


def _resolver_lines(changes: Changes) -> list[str]:
    """Before the lease of a number, so that no question of it goes anywhere else. What is taken is surely there."""
    lines = _statement("delete", "resolved", list(map(str, changes.resolvers_off)))
    for version in (4, 6):
        off = {n: each for n, each in changes.resolvers_off.items() if each.version == version}
        on = {n: each for n, each in changes.resolvers_on.items() if each.version == version}
        lines += _statement("delete", f"resolvers{version}", list(map(str, off)))
        lines += _statement("delete", f"answers{version}", [f"{n} . {each}" for n, each in off.items()])
        lines += _statement("add", f"resolvers{version}", [f"{n} : {each}" for n, each in on.items()])
        lines += _statement("add", f"answers{version}", [f"{n} . {each}" for n, each in on.items()])
    return lines + _statement("add", "resolved", list(map(str, changes.resolvers_on)))


def _range(ports: PortRange) -> str:
    return f"{ports.address} . {ports.first}-{ports.last}"


def _unbind_lines(changes: Changes) -> list[str]:
    """Forget pairs, and where the answers to these pairs' flows went."""
    lines: list[str] = []
    for version in (4, 6):
        gone = [(mac, ip, n) for (mac, ip), n in changes.unbound.items() if ip.version == version]
        lines += _statement("delete", f"clients{version}", [f"{mac} . {ip}" for mac, ip, _ in gone])
        lines += _vanish(f"holders{version}", [f"{n} . {ip}" for _, ip, n in gone if n != NO_GRANT])
        released = sorted({str(ip) for ip in changes.released if ip.version == version})
        lines += _statement("delete", f"held{version}", released)
    return lines


def _vanish(name: str, keys: list[str], timeout: str = "") -> list[str]:
    """Delete elements that may have timed out already: add, then delete, in the one transaction."""
    return [*_statement("add", name, [key + timeout for key in keys]), *_statement("delete", name, keys)]


def _statement(verb: str, name: str, keys: list[str]) -> list[str]:
    return [f"{verb} element {TABLE} {name} {{ {', '.join(keys)} }}\n"] if keys else []
