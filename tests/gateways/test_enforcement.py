"""The kernel's side alone, without agent or portal: what is read back, and what others do to it."""

from __future__ import annotations

import ipaddress
import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from gateways.nftables import kernel
from gateways.nftables.configuration import Configuration, read
from gateways.nftables.elements import DesiredClient, LeaseElement
from gateways.nftables.enforcement import Enforcement, boot_time
from gateways.nftables.rate_classes import RateClass
from gateways.types import MacAddress
from lab.namespace import Namespace, NoNamespaces, demand_namespaces
from tests.gateways.test_configuration import written
from tests.services.parts import missing

pytestmark = pytest.mark.netns
Opener = Callable[[Configuration], Enforcement]
RATES = RateClass(55_000, 15_000)


@pytest.fixture
def ns() -> Iterator[Namespace]:
    try:
        demand_namespaces()
    except NoNamespaces as reason:
        missing(str(reason))
    with Namespace("alone") as opened:
        yield opened


def wanted(*numbers: int, seconds: float = 600, rates: RateClass = RATES) -> dict[int, DesiredClient]:
    ends = boot_time() + seconds
    return {
        number: DesiredClient(
            number,
            ((MacAddress(f"02:00:00:00:00:{number:02x}"), ipaddress.ip_address(f"10.66.0.{number}")),),
            LeaseElement(rates, ends),
        )
        for number in numbers
    }


@pytest.fixture
def open_enforcement() -> Iterator[Opener]:
    with ExitStack() as stack:

        def opened(configuration: Configuration) -> Enforcement:
            return stack.enter_context(closing(Enforcement(configuration)))

        yield opened


def nft(*arguments: str) -> None:
    subprocess.run(["nft", *arguments], check=True)


def test_what_was_put_in_is_read_back(ns: Namespace, tmp_path: Path, open_enforcement: Opener) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        first = open_enforcement(configuration)
        first.load()
        passes = {**wanted(17, 18), **wanted(19, rates=RateClass(0, 0))}
        assert first.make_fit(passes, passes) == {}
        second = open_enforcement(configuration)
        asked_at = time.monotonic()
        second.load()
        # What the kernel says is left is added to the clock before or after the question.
        nearly = 1 + time.monotonic() - asked_at
        assert second.epoch == first.epoch
        assert (second.held.pairs, second.held.pairs_of) == (first.held.pairs, first.held.pairs_of)
        assert second.held.classes == first.held.classes
        for number, lease in first.held.leases.items():
            assert second.held.leases[number].rates == lease.rates
            assert abs(second.held.leases[number].ends - lease.ends) < nearly
        assert second.make_fit({}, second.everybody()) == {}
        table = kernel.read_table()
        assert table and kernel.read_held(table, now=0).leases == {}

    ns.call(work)


def test_our_own_changes_are_no_surprise(
    ns: Namespace, tmp_path: Path, open_enforcement: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        enforcement = open_enforcement(configuration)
        enforcement.load()
        enforcement.make_fit(wanted(17), [17])
        enforcement.make_fit(wanted(17, seconds=900), [17])
        assert not enforcement.check(wanted(17))

    with caplog.at_level(logging.WARNING):
        ns.call(work)
    assert caplog.messages == []


def test_a_foreign_change_is_noticed_also_when_ours_followed_at_once(
    ns: Namespace, tmp_path: Path, open_enforcement: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        enforcement = open_enforcement(configuration)
        enforcement.load()
        passes = wanted(17, 18)
        enforcement.make_fit(passes, passes)
        nft("delete", "element", "inet", "arobase", RATES.lease_set, "{ 17 }")
        nft("flush", "chain", "inet", "arobase", "refuse")
        enforcement.make_fit(wanted(19), [19])
        assert not enforcement.check({**passes, **wanted(19)})
        table = kernel.read_table()
        assert table and set(kernel.read_leases(table.classes, now=0)) == {17, 18, 19}
        listed = subprocess.run(
            ["nft", "list", "chain", "inet", "arobase", "refuse"], capture_output=True, text=True
        )
        assert "tcp reset" in listed.stdout

    with caplog.at_level(logging.WARNING):
        ns.call(work)
    assert any("another program changed our nftables table" in message for message in caplog.messages)


def test_a_table_that_was_flushed_is_made_anew_with_everybody(
    ns: Namespace, tmp_path: Path, open_enforcement: Opener
) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        enforcement = open_enforcement(configuration)
        enforcement.load()
        epoch = enforcement.epoch
        enforcement.make_fit(wanted(17), [17])
        nft("flush", "ruleset")
        # Nothing to do for 17 as far as we know: that must not hide the loss.
        enforcement.make_fit(wanted(17), [17])
        assert enforcement.check(wanted(17))
        assert enforcement.epoch != epoch
        table = kernel.read_table()
        assert table and set(kernel.read_leases(table.classes, now=0)) == {17}

    ns.call(work)


def test_rates_that_nobody_has_any_more_go_out_of_the_packets_path(
    ns: Namespace, tmp_path: Path, open_enforcement: Opener
) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        enforcement = open_enforcement(configuration)
        enforcement.load()
        for number in range(10):
            rates = RateClass(1000 + number, 500)
            assert enforcement.make_fit(wanted(17, rates=rates), [17]) == {}
        assert len(enforcement.held.classes) == 10
        enforcement.tidy()
        table = kernel.read_table()
        assert table and table.classes == {RateClass(1009, 500)} == enforcement.held.classes
        assert set(kernel.read_leases(table.classes, now=0)) == {17}
        assert not enforcement.check(wanted(17, rates=RateClass(1009, 500)))
        # A few may stay, and a rate that comes back is made again.
        assert enforcement.make_fit(wanted(17, rates=RateClass(1000, 500)), [17]) == {}
        enforcement.tidy()
        assert len(enforcement.held.classes) == 2

    ns.call(work)


def test_other_tables_are_left_alone(ns: Namespace, tmp_path: Path, open_enforcement: Opener) -> None:
    configuration = read(written(tmp_path))

    def work() -> None:
        nft("add", "table", "inet", "elsewhere")
        enforcement = open_enforcement(configuration)
        enforcement.load()
        nft("list", "table", "inet", "elsewhere")

    ns.call(work)


def test_what_cannot_be_read_is_unknown_and_not_empty(ns: Namespace) -> None:
    def work() -> None:
        assert kernel.read_table() is None
        with pytest.raises(kernel.UnknownState):
            kernel.read_counts()
        with pytest.raises(kernel.UnknownState):
            kernel.read_refusals()
        nft("add", "table", "inet", "arobase")
        table = kernel.read_table()
        assert table and (table.epoch, table.layout) == ("", "")
        with pytest.raises(kernel.UnknownState):
            kernel.read_held(table, now=0)
        # As nft lists them while somebody removes the table.
        with pytest.raises(kernel.UnknownState):
            kernel.read_counters()

    ns.call(work)
