"""Receipts on a printer of the network: one that works, and every way in which one does not."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from functools import partial

import pytest

from portal.printing.receipt_printers import Delivery, Fault, deliver
from portal.printing.receipts import NarrowPaper, receipts
from sites.printers import may_stand_at
from tests.portal.printing.printed import make_ticket, make_tickets
from tests.services.receipt_printer import BROKEN, COVER_OPEN, WELL, ReceiptPrinter, receipt_printer

HERE = partial(may_stand_at, allowed=(ipaddress.ip_network("127.0.0.0/8"),))


@pytest.fixture
def printer() -> Iterator[ReceiptPrinter]:
    with receipt_printer() as found:
        yield found


def hand(printer: ReceiptPrinter, count: int = 1, *, answers: bool = True, seconds: float = 4.0) -> Delivery:
    """So many tickets."""
    return deliver(
        receipts(make_tickets(count)),
        host=printer.host,
        port=printer.port,
        answers=answers,
        allowed=HERE,
        seconds=seconds,
    )


def test_a_receipt_comes_out_in_words(printer: ReceiptPrinter) -> None:
    ticket = make_ticket(event="Fête du livre", mark="2-1", languages=("fr",))
    done = deliver(receipts([ticket]), host="127.0.0.1", port=printer.port, answers=True, allowed=HERE)
    assert done == Delivery(1)
    [paper] = printer.receipts
    assert paper.text == "\n".join(
        (
            ticket.code,
            "Wifi Besancon-Bibliotheques",
            "1 Rejoindre le wifi",
            "[QR WIFI:T:nopass;S:Besancon-Bibliotheques;;]",
            "2 Ouvrir votre pass",
            f"[QR {ticket.redeem_url}]",
            "valable jusqu’à ce soir minuit",
            "",
            "Sans appareil photo : choisissez le wifi",
            "Besancon-Bibliotheques, ouvrez",
            "wifi.example.org/pass et tapez le code.",
            "n° 2-1",
            "Fête du livre",
            "Médiathèque Pierre-Bayle",
        )
    )
    assert printer.unknown == []


def test_on_58_mm_nothing_is_wider_than_the_paper(printer: ReceiptPrinter) -> None:
    """384 dots: 32 letters, and a code of eleven signs twice as wide."""
    ticket = make_ticket(event="mot " * 40, place="W" * 90)
    (content,) = receipts([ticket], paper_mm=58)
    assert b"\x1d!\x11\x1bE\x01" + ticket.code.encode() in content
    assert deliver([content], host="127.0.0.1", port=printer.port, answers=True, allowed=HERE) == Delivery(1)
    lines = [line for line in printer.receipts[0].lines if not line.startswith("[QR")]
    assert max(map(len, lines)) <= 32 and len(ticket.code) * 24 <= 384
    with pytest.raises(NarrowPaper):
        receipts([make_ticket(languages=("ar",), ends={"ar": "صالح"})], paper_mm=58)


def test_each_of_a_batch_is_a_receipt_of_its_own(printer: ReceiptPrinter) -> None:
    assert hand(printer, 3) == Delivery(3)
    assert [paper.lines[0] for paper in printer.receipts] == [one.code for one in make_tickets(3)]


def test_a_roll_that_ends_is_told_with_what_is_printed_by_then(printer: ReceiptPrinter) -> None:
    printer.rolls_for = 2
    assert hand(printer, 5, seconds=3.0) == Delivery(2, Fault.NO_PAPER)
    assert hand(printer) == Delivery(0, Fault.NO_PAPER)
    printer.rolls_for = 9
    assert hand(printer) == Delivery(1)


@pytest.mark.parametrize(("cause", "fault"), [(COVER_OPEN, Fault.COVER), (BROKEN, Fault.BROKEN)])
def test_an_open_or_broken_printer_says_so_before_anything_is_sent(
    printer: ReceiptPrinter, cause: int, fault: Fault
) -> None:
    printer.cause = WELL | cause
    assert hand(printer) == Delivery(0, fault)
    assert printer.read.wait(5) and printer.receipts == []


def test_one_that_hangs_is_given_up_in_seconds(printer: ReceiptPrinter) -> None:
    """It takes the connection and all bytes, as one with a crashed controller does."""
    printer.is_mute = True
    assert hand(printer) == Delivery(0, Fault.SILENT)
    assert printer.receipts == []


def test_one_that_says_it_is_well_and_prints_nothing_is_slow(printer: ReceiptPrinter) -> None:
    printer.is_stuck = True
    assert hand(printer, seconds=2.0) == Delivery(0, Fault.SLOW)


def test_one_that_never_answers_is_handed_its_receipts_where_its_record_says_so(
    printer: ReceiptPrinter,
) -> None:
    printer.is_mute = True
    assert hand(printer, 2, answers=False) == Delivery(2)
    assert printer.read.wait(5) and len(printer.receipts) == 2


def test_no_worker_waits_for_a_whole_batch(printer: ReceiptPrinter) -> None:
    """What is left when the time is over is for the next call; one receipt gets through in any case."""
    assert hand(printer, 3, seconds=0.0).fault in (Fault.UNREACHABLE, Fault.SILENT)
    many = receipts(make_tickets(1)) * 100_000
    done = deliver(many, host="127.0.0.1", port=printer.port, answers=True, allowed=HERE, seconds=2.0)
    assert done.fault is None and 1 <= done.count < len(many)


def test_what_is_switched_off_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nobody = deliver([b"x"], host="127.0.0.1", port=port, answers=True, allowed=HERE)
    nowhere = deliver([b"x"], host="printer.invalid", port=9100, answers=True, allowed=HERE)
    assert nobody == nowhere == Delivery(0, Fault.UNREACHABLE)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "224.0.0.1", "ff02::1"),
        *("169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0"),
        *("fd00:ec2::254", "100.100.100.200", "255.255.255.255"),
    ],
)
def test_no_printer_may_stand_on_this_machine_or_where_clouds_tell_secrets(address: str) -> None:
    assert not may_stand_at(address, ())


def test_a_printer_stands_on_the_towns_network_and_within_what_the_settings_name() -> None:
    assert all(may_stand_at(one, ()) for one in ("10.20.0.9", "192.0.2.9", "fd12::9", "8.8.8.8"))
    named = (ipaddress.ip_network("10.20.0.0/24"), ipaddress.ip_network("127.0.0.0/8"))
    assert may_stand_at("10.20.0.9", named) and may_stand_at("127.0.0.1", named)
    assert not may_stand_at("10.20.1.9", named) and not may_stand_at("fd12::9", named)


def test_a_name_is_judged_by_what_it_stands_for_when_it_is_asked(printer: ReceiptPrinter) -> None:
    """A record that named an innocent host, and a name server that says 127.0.0.1 today."""
    done = deliver(
        receipts(make_tickets(1)),
        host="localhost",
        port=printer.port,
        answers=True,
        allowed=partial(may_stand_at, allowed=()),
    )
    assert done == Delivery(0, Fault.UNREACHABLE)
    assert printer.receipts == []
