"""A set of changes as one transaction: statements for the kernel, or text for nft. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address

from gateways.nftables.elements import Changes, Existing, LeaseElement, Pair
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.reach import SETS, element, set_of
from gateways.nftables.ruleset import add_class
from gateways.nftables.statements import Column, Statement, Verb
from gateways.nftables.table_layout import NO_GRANT, TABLE
from gateways.types import PortRange

# For an element that is added only to be deleted at once.
MOMENT_MS = 1000


def statements(changes: Changes, *, now: float) -> list[Statement] | None:
    """The transaction's statements, in order, but for new rate classes. None where it has ranges of ports or places:
    how these become elements, nft alone knows."""
    if changes.taken or changes.given or changes.confined or changes.freed:
        return None
    return [*_unbinding(changes), *_granting(changes, now)]


def class_script(classes: Iterable[RateClass]) -> str:
    """The rules of new rate classes alone, for nft. A class that nobody has lets nobody pass: it may come first."""
    return "".join(add_class(rates) for rates in classes)


def script(changes: Changes, *, now: float) -> str:
    """The transaction for nft. One bad line aborts all of it, so nothing is deleted that may be gone."""
    lines = [class_script(changes.classes)]
    lines += [each.text() for each in _unbinding(changes)]
    lines += _port_lines(changes)
    lines += _reach_lines(changes)
    lines += [each.text() for each in _granting(changes, now)]
    return "".join(lines)


def _granting(changes: Changes, now: float) -> Iterator[Statement]:
    """Who may pass as whom, and until when."""
    yield from _resolving(changes)
    yield from _some(Verb.DELETE, "cards", [list(changes.struck)])
    yield from _some(Verb.ADD, "cards", [list(changes.enrolled)], list(changes.enrolled.values()))
    four, six = _by_family(changes.bound)
    for version, bound in ((4, four), (6, six)):
        macs, addresses = [mac for (mac, _), _ in bound], [ip for (_, ip), _ in bound]
        yield from _some(Verb.ADD, f"clients{version}", [macs, addresses], [number for _, number in bound])
        yield from _some(Verb.ADD, f"held{version}", [addresses])
    ended = dict[RateClass, dict[Existing, list[int]]]()
    for number, rates, before in changes.ended:
        ended.setdefault(rates, {}).setdefault(before, []).append(number)
    for rates, numbers in sorted(ended.items(), key=lambda each: each[0]):
        yield from _taking(rates.lease_set, numbers)
    leased = defaultdict[RateClass, list[tuple[int, LeaseElement, Existing]]](list)
    for each in changes.leased:
        leased[each[1].rates].append(each)
    for rates, own in sorted(leased.items(), key=lambda each: each[0]):
        yield from _leasing(rates, own, now)


def _leasing(
    rates: RateClass, leased: list[tuple[int, LeaseElement, Existing]], now: float
) -> Iterator[Statement]:
    """Only a new element has the new timeout on every kernel, so an element that is there goes first.

    Deleting makes the kernel wait for its readers, some 15 ms: a new client is not made to wait for that.
    """
    name = rates.lease_set
    there = [number for number, _, before in leased if before is Existing.SOMETHING]
    perhaps = [number for number, _, before in leased if before is Existing.PERHAPS]
    yield from _taking(name, {Existing.SOMETHING: there, Existing.PERHAPS: perhaps})
    # Rounded down, and never 0, which would be for ever.
    left = [max(1, int((lease.ends - now) * 1000)) for _, lease, _ in leased]
    yield Statement(Verb.ADD, name, ([number for number, _, _ in leased],), milliseconds=left)


def _taking(name: str, numbers: Mapping[Existing, list[int]]) -> Iterator[Statement]:
    """Delete what is surely there, and what may have timed out meanwhile."""
    yield from _some(Verb.DELETE, name, [numbers.get(Existing.SOMETHING, [])])
    yield from _vanishing(name, [numbers.get(Existing.PERHAPS, [])], moment=True)


def _resolving(changes: Changes) -> Iterator[Statement]:
    """Before the lease of a number, so that no question of it goes anywhere else. What is taken is surely there."""
    yield from _some(Verb.DELETE, "resolved", [list(changes.resolvers_off)])
    for version in (4, 6):
        off = {n: each for n, each in changes.resolvers_off.items() if each.version == version}
        on = {n: each for n, each in changes.resolvers_on.items() if each.version == version}
        yield from _some(Verb.DELETE, f"resolvers{version}", [list(off)])
        yield from _some(Verb.DELETE, f"answers{version}", [list(off), list(off.values())])
        yield from _some(Verb.ADD, f"resolvers{version}", [list(on)], list(on.values()))
        yield from _some(Verb.ADD, f"answers{version}", [list(on), list(on.values())])
    yield from _some(Verb.ADD, "resolved", [list(changes.resolvers_on)])


def _unbinding(changes: Changes) -> Iterator[Statement]:
    """Forget pairs, and where the answers to these pairs' flows went."""
    if not changes.unbound:
        return
    released = dict.fromkeys(changes.released)
    four, six = _by_family(changes.unbound)
    for version, gone in ((4, four), (6, six)):
        yield from _some(
            Verb.DELETE, f"clients{version}", [[mac for (mac, _), _ in gone], [ip for (_, ip), _ in gone]]
        )
        held = [(number, ip) for (_, ip), number in gone if number != NO_GRANT]
        yield from _vanishing(f"holders{version}", [[number for number, _ in held], [ip for _, ip in held]])
        yield from _some(Verb.DELETE, f"held{version}", [[ip for ip in released if ip.version == version]])


def _by_family(pairs: Mapping[Pair, int]) -> tuple[list[tuple[Pair, int]], list[tuple[Pair, int]]]:
    """The pairs with their numbers, those of IPv4 and those of IPv6."""
    four = [each for each in pairs.items() if isinstance(each[0][1], IPv4Address)]
    if len(four) == len(pairs):
        return four, []
    return four, [each for each in pairs.items() if not isinstance(each[0][1], IPv4Address)]


def _vanishing(name: str, key: Sequence[Column], *, moment: bool = False) -> Iterator[Statement]:
    """Delete elements that may have timed out already: add, then delete, in the one transaction."""
    yield from _some(Verb.ADD, name, key, milliseconds=[MOMENT_MS] * len(key[0]) if moment else None)
    yield from _some(Verb.DELETE, name, key)


def _some(
    verb: Verb,
    name: str,
    key: Sequence[Column],
    data: Column | None = None,
    milliseconds: Sequence[int] | None = None,
) -> Iterator[Statement]:
    """The statement, unless it is about nothing."""
    if key[0]:
        yield Statement(verb, name, tuple(key), data, milliseconds)


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


def _range(ports: PortRange) -> str:
    return f"{ports.address} . {ports.first}-{ports.last}"


def _statement(verb: str, name: str, keys: Iterable[str]) -> list[str]:
    listed = ", ".join(keys)
    return [f"{verb} element {TABLE} {name} {{ {listed} }}\n"] if listed else []
