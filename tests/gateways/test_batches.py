"""Elements that are written without nft: the same ones, all or none, however many."""

from __future__ import annotations

import ipaddress
import json
import logging
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateways.nftables import kernel
from gateways.nftables.batches import Batches
from gateways.nftables.client_addresses import read_address, read_lists
from gateways.nftables.configuration import read
from gateways.nftables.elements import ActualState, DesiredClient, LeaseElement, note, plan
from gateways.nftables.enforcement import AT_ONCE, Enforcement, boot_time
from gateways.nftables.notices import Notices
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.ruleset import create
from gateways.nftables.statements import Statement, Verb
from gateways.nftables.table_layout import TABLE
from gateways.nftables.transactions import script, statements
from gateways.types import Client, Grant, MacAddress
from lab.namespace import Namespace, NoNamespaces, demand_namespaces
from tests.gateways.test_configuration import written
from tests.services.parts import missing

pytestmark = pytest.mark.netns
RATES, OTHERS = RateClass(55_000, 15_000), RateClass(0, 1000)


@pytest.fixture
def ns() -> Iterator[Namespace]:
    try:
        demand_namespaces()
    except NoNamespaces as reason:
        missing(str(reason))
    with Namespace("batches") as opened:
        yield opened


def client(number: int, *, ends: float, rates: RateClass = RATES) -> DesiredClient:
    mac = MacAddress(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")
    four, six = read_address(f"10.66.{number >> 8}.{number & 255}"), read_address(f"fd66::{number:x}")
    resolver = read_address("10.66.0.1" if number % 2 else "fd66::53")
    return DesiredClient(
        number, ((mac, four), (mac, six)), LeaseElement(rates, ends), card=mac, resolver=resolver
    )


def elements() -> dict[str, Any]:
    """What every set of the table holds but for the seconds left, by the word of nft."""
    listed = subprocess.run(
        ["nft", "-j", "list", "table", *TABLE.split()], capture_output=True, text=True, check=True
    )
    found = {}
    for entry in json.loads(listed.stdout)["nftables"]:
        for kind in ("set", "map"):
            if kind in entry:
                text = (json.dumps(_without_seconds(each)) for each in entry[kind].get("elem", ()))
                found[entry[kind]["name"]] = sorted(text)
    return found


def _without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_seconds(each) for name, each in value.items() if name != "expires"}
    return [_without_seconds(each) for each in value] if isinstance(value, list) else value


def test_the_kernel_holds_what_nft_would_have_put_there(ns: Namespace, tmp_path: Path) -> None:
    configuration = read(written(tmp_path))

    def after(by_nft: bool) -> list[dict[str, Any]]:
        kernel.run(create(configuration, [RATES, OTHERS], epoch="0"))
        held, now, seen = ActualState(classes={RATES, OTHERS}), 1000.0, []
        first = {n: client(n, ends=4600, rates=OTHERS if n % 3 else RATES) for n in range(1, 9)}
        moved = {n: each._replace(lease=LeaseElement(RATES, 9000)) for n, each in first.items() if n % 2}
        with closing(Batches()) as batches:
            for wanted in (first, moved, {}):
                changes = plan(wanted, held, range(1, 9), now=now)
                listed = statements(changes, now=now)
                assert listed is not None
                if by_nft:
                    kernel.run(script(changes, now=now))
                else:
                    batches.run(listed)
                note(changes, held)
                seen.append(elements())
        return seen

    def work() -> None:
        found = after(by_nft=False)
        assert found == after(by_nft=True)
        assert [len(each["clients6"]) for each in found] == [8, 4, 0]

    ns.call(work)


def test_a_batch_is_carried_out_whole_or_not_at_all(ns: Namespace, tmp_path: Path) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        kernel.run(create(configuration, [RATES], epoch="0"))
        good = Statement(Verb.ADD, "limited", ([17, 18],))
        gone = Statement(Verb.DELETE, "limited", ([99],))
        with closing(Batches()) as batches:
            with pytest.raises(kernel.KernelRefused, match="No such file"):
                batches.run([good, gone, good])
            assert elements()["limited"] == []
            # What the kernel said of the last one is not taken for its word of the next.
            batches.run([good])
            assert elements()["limited"] == ["17", "18"]
            with pytest.raises(kernel.KernelRefused):
                batches.run([replace(good, name="nowhere")])

    ns.call(work)


def test_more_than_a_message_holds_come_at_once_and_change_nothing_that_was_known(
    ns: Namespace, tmp_path: Path
) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        numbers = range(1, 5001)
        with closing(Enforcement(configuration)) as enforcement:
            enforcement.load()
            passes = {number: client(number, ends=boot_time() + 600) for number in numbers}
            assert enforcement.make_fit(passes, [1]) == {}
            assert enforcement.notices.read()
            assert enforcement.make_fit(passes, numbers) == {}
            # That is known, and nothing was heard of it.
            assert not enforcement.notices.read()
            assert not enforcement.check(passes)
            assert enforcement.held.leases.keys() == set(numbers)
            table = kernel.read_table()
            assert table is not None
            held = kernel.read_held(table, now=boot_time())
            assert held.leases.keys() == set(numbers) and held.pairs == enforcement.held.pairs
            assert not held.torn

    ns.call(work)


def test_new_clients_come_in_pieces_up_to_the_first_that_the_kernel_refuses(
    ns: Namespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    configuration = read(written(tmp_path))
    ends = boot_time() + 600
    passes = {number: client(number, ends=ends) for number in range(1, 3 * AT_ONCE + 1)}
    macs = {each.card: each.pairs for each in passes.values()}
    grants = [Grant(number, Client(mac, ()), 0.0, *RATES) for number, mac in enumerate(macs, start=1) if mac]

    def work() -> None:
        with closing(Enforcement(configuration)) as enforcement:
            enforcement.load()
            # The kernel knows a card of the third piece under another number, and the agent has lost sight of it.
            odd = passes[2 * AT_ONCE + 7]._replace(number=99_999, pairs=(), resolver=None)
            assert odd.card and enforcement.make_fit({99_999: odd}, [99_999]) == {}
            enforcement.held.strike(odd.card, 99_999)

            def admitted() -> set[int]:
                return enforcement.admit(
                    grants, lambda _: ends, lambda mac: [address for _, address in macs[mac]]
                )

            assert admitted() == set(range(1, 2 * AT_ONCE + 1))
            assert enforcement.held.leases.keys() == {99_999, *range(1, 2 * AT_ONCE + 1)}
            table = kernel.read_table()
            assert table and kernel.read_held(table, now=0).pairs == enforcement.held.pairs
            # All of that was ours, and is known.
            assert not enforcement.check({})
            # Who was not refused comes in by and by.
            assert enforcement.make_fit(passes, passes) == {}
            assert enforcement.held.leases.keys() >= passes.keys()

    with caplog.at_level(logging.WARNING):
        ns.call(work)
    assert not any("another program" in message for message in caplog.messages)
    assert any("refused a transaction of new clients" in message for message in caplog.messages)


def test_what_others_do_while_nothing_is_heard_is_not_taken_for_harmless(ns: Namespace) -> None:
    def work() -> None:
        with closing(Notices()) as notices, closing(kernel.Generations()) as generations:
            before = generations.latest()
            with notices.muted():
                subprocess.run(["nft", "add", "table", "inet", "elsewhere"], check=True)
            assert not notices.spared(before, generations.latest())
            before = generations.latest()
            subprocess.run(["nft", "add", "table", "inet", "beyond"], check=True)
            assert notices.spared(before, generations.latest())

    ns.call(work)


def test_what_others_do_meanwhile_is_noticed_though_nothing_is_heard(ns: Namespace, tmp_path: Path) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        with closing(Enforcement(configuration)) as enforcement:
            enforcement.load()
            passes = {number: client(number, ends=boot_time() + 600) for number in range(1, 501)}
            assert enforcement.make_fit(passes, [1]) == {}
            assert not enforcement.check(passes)
            batches, run = enforcement._batches, enforcement._batches.run

            def run_beside_another(listed: list[Statement]) -> None:
                run(listed)
                subprocess.run(
                    ["nft", "delete", "element", *TABLE.split(), RATES.lease_set, "{ 1 }"], check=True
                )

            vars(batches)["run"] = run_beside_another
            assert enforcement.make_fit(passes, passes) == {}
            del vars(batches)["run"]
            enforcement.check(passes)
            table = kernel.read_table()
            assert table is not None
            assert kernel.read_leases(table.classes, now=0).keys() == passes.keys()

    ns.call(work)


def test_an_address_is_found_where_a_plain_one_was_put() -> None:
    plain = ipaddress.ip_address("10.66.0.7")
    assert {plain: 1}[read_address("10.66.0.7")] == 1 and {read_address("10.66.0.7"): 1}[plain] == 1
    assert hash(read_address("10.66.0.7")) == hash(plain)
    assert read_address("fd66::7") == ipaddress.ip_address("fd66::7")
    with pytest.raises(ValueError):
        read_address("10.66.0.256")


def test_addresses_are_read_together_as_each_alone() -> None:
    for listed in (
        [["10.66.0.7"], ["10.66.0.8"]],
        [[], ["10.66.0.7", "0.0.0.0"]],
        [["fd66::7"], ["10.66.0.7"]],
        [],
    ):
        assert read_lists(listed) == [tuple(map(read_address, own)) for own in listed]
    for bad in ("10.66.0.256", "", "fd66::g"):
        with pytest.raises(ValueError):
            read_lists([["10.66.0.7"], [bad]])
