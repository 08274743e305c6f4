"""The state of a pass in words, and what to tell the visitor who stands there with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from auth.vouchers.models import VoidReason, Voucher
from auth.vouchers.totals import VoucherState
from portal.i18n.last_moments import first_day
from portal.i18n.translation import end_time, language, say, write_date
from portal.printing.papers import Paper
from portal.services import services, town_zone

# The choice beside the papers of the press: bytes for a receipt printer on a cable.
ESCPOS = "escpos"


@dataclass(frozen=True, slots=True)
class VoucherSummary:
    """`alive`: there is something left to replace or to take back."""

    state: str
    advice: str
    alive: bool = False


def explain(voucher: Voucher, *, now: datetime) -> VoucherSummary:
    """What this pass is, and what to say about it."""
    batch = voucher.batch
    if voucher.voided_at is not None:
        return _told_of_void(voucher)
    if voucher.until is not None and voucher.until <= now:
        over = say("Its time was over at %(time)s.", time=_moment(voucher.until))
        return VoucherSummary(over, say("It did what it was for. Issue a new one if the visitor stays."))
    if batch.ends_at is not None and batch.ends_at <= now:
        over = say("It could be used until %(time)s.", time=_moment(batch.ends_at))
        return VoucherSummary(over, say("Issue a new one."))
    if batch.suspended_at is not None:
        return VoucherSummary(
            say("Its batch is suspended."), say("Resume the batch, or issue a new pass."), alive=True
        )
    if batch.starts_at is not None and now < batch.starts_at:
        first = first_day(batch.starts_at, town_zone().key, language(), since=now)
        return VoucherSummary(
            say("Good from %(day)s on.", day=first),
            say("The visitor keeps the ticket until that day, or gets another pass for today."),
            alive=True,
        )
    if voucher.used_at is not None and voucher.until is not None:
        used = say("In use, until %(time)s.", time=_moment(voucher.until))
        advice = say(
            "After a pause, or with a new address, the visitor types the same code again: no time is lost."
        )
        return VoucherSummary(used, advice, alive=True)
    return VoucherSummary(
        say("Good, and not used yet."),
        say("The visitor joins the wifi, types the code on the page that opens, and presses the button."),
        alive=True,
    )


def pass_state_in_words(state: str) -> str:
    return {
        VoucherState.LEFT: say("not used yet"),
        VoucherState.USED: say("used"),
        VoucherState.VOID: say("void"),
        VoucherState.EXPIRED: say("expired"),
    }[VoucherState(state)]


def void_reason_in_words(reason: str) -> str:
    return {
        VoidReason.SPOILED: say("spoiled"),
        VoidReason.LOST: say("lost"),
        VoidReason.UNUSED: say("left over"),
        VoidReason.REPLACED: say("replaced"),
        VoidReason.REVOKED: say("taken back"),
    }[VoidReason(reason)]


def papers() -> list[tuple[str, str]]:
    """What can be printed on, by the value in the form."""
    return [
        (Paper.A4.value, say("A4, to be cut")),
        (Paper.RECEIPT.value, say("80 mm receipt (PDF)")),
        (ESCPOS, say("80 mm receipt (ESC/POS file)")),
        (Paper.L7160.value, say("Labels L7160, 21 a sheet")),
        (Paper.L7163.value, say("Labels L7163, 14 a sheet")),
        (Paper.L7651.value, say("Labels L7651, 65 a sheet, code and one QR")),
    ]


def cut_in_words(fields: frozenset[str]) -> tuple[str, ...]:
    """What a paper has no room for, of what a ticket can be without."""
    named = {"number": say("the number"), "address": say("the address"), "place": say("the place")}
    return tuple(words for field, words in named.items() if field in fields)


def on_day(day: date) -> str:
    return write_date(day, "EEEE d MMMM")


def _told_of_void(voucher: Voucher) -> VoucherSummary:
    match voucher.void_reason:
        case VoidReason.REPLACED:
            return VoucherSummary(
                say("It was replaced."), say("The visitor has a newer ticket; only that one works.")
            )
        case VoidReason.REVOKED:
            return VoucherSummary(say("It was taken back."), say("Issue a new one if that was a mistake."))
        case _:
            return VoucherSummary(say("It was written off."), say("It opens nothing. Issue a new one."))


def _moment(at: datetime) -> str:
    return end_time(at, town_zone().key, now=services().clock())
