"""What a desk's form can get wrong: each reason with its texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Case, Denial, declare
from auth.vouchers.errors import EndedPlan, ImpossibleCount, VoucherError

# A sheet of more is made on the command line: its codes would not fit into one page.
MOST_AT_THE_DESK = 1_000
_OFFSET = N_("A correction is a number of millimetres, %(most)s at most either way.")


class UnreadableCount(ImpossibleCount):
    """How many passes was not said, or more than a page can show."""

    def __init__(self) -> None:
        super().__init__(MOST_AT_THE_DESK)


class UnreadableDay(VoucherError):
    """The last day is no day, or over."""

    reason = EndedPlan.reason


class UnreadableFirstDay(VoucherError):
    """The first day is no day."""

    reason = declare(
        "no_first_day",
        HTTPStatus.BAD_REQUEST,
        N_("That is no day."),
        N_("Choose the first day from the calendar, or leave it empty."),
        form_field="first_day",
    )


class NoDesk(VoucherError):
    """Several desks are possible, and none was chosen."""

    reason = declare(
        "no_desk",
        HTTPStatus.BAD_REQUEST,
        N_("At which desk?"),
        N_("Nothing was issued. Choose the library first: the books count its passes."),
        form_field="desk",
    )


class ForeignPlan(VoucherError):
    """Passes of this plan would not hold at this desk."""

    reason = declare(
        "foreign_plan",
        HTTPStatus.BAD_REQUEST,
        N_("This kind of pass does not hold at this desk."),
        N_("Choose another kind, or the desk where the visitor will be."),
        form_field="plan",
    )


class NothingToReprint(Denial):
    """All passes of the batch are used or void, or its day is over and its key deleted."""

    reason = declare(
        "nothing_to_reprint",
        HTTPStatus.GONE,
        N_("There is nothing left to print again."),
        N_(
            "Unused passes can be printed again until the day of their batch is over. "
            "Replace a single pass by its number, or issue new ones."
        ),
    )


class UnsentMail(VoucherError):
    """The pass did not leave the house, or not for certain (`uncertain`)."""

    reason = declare(
        "unsent_mail",
        HTTPStatus.BAD_GATEWAY,
        Case(
            "uncertain",
            {True: N_("Nobody knows whether the message left.")},
            otherwise=N_("The message was not sent."),
        ),
        Case(
            "uncertain",
            {True: N_("Ask whether it arrived before you send it again. The pass is still here.")},
            otherwise=N_("The mail server did not take it. Print the pass, or try again: it is still here."),
        ),
        form_field="to",
    )

    def __init__(self, *, uncertain: bool) -> None:
        super().__init__()
        self.uncertain = uncertain


class StoppedPrinter(VoucherError):
    """A printer on the network takes no more receipts: `fault` is one of `portal.printing.receipt_printers.Fault`,
    `printer` what the desk calls it."""

    reason = declare(
        "stopped_printer",
        HTTPStatus.BAD_GATEWAY,
        Case(
            "fault",
            {
                "unreachable": N_("The printer %(printer)s cannot be reached."),
                "no_paper": N_("The printer %(printer)s has no paper."),
                "cover": N_("The printer %(printer)s is open."),
                "broken": N_("The printer %(printer)s reports a fault."),
                "slow": N_("The printer %(printer)s has not finished in time."),
            },
            otherwise=N_("The printer %(printer)s does not answer."),
        ),
        Case(
            "fault",
            {
                "unreachable": N_(
                    "Nothing is lost. Look whether it is switched on, its cable is in and no other desk is printing; "
                    "then print again, or take a sheet."
                ),
                "no_paper": N_(
                    "Nothing is lost. Put a roll in and print again. If the printer then finishes a ticket by itself, "
                    "throw one of the two away: they are the same pass."
                ),
                "cover": N_("Nothing is lost. Close it and print again, or take a sheet."),
                "broken": N_(
                    "Nothing is lost. Switch it off and on, and look for a jam; then print again, or take a sheet."
                ),
                "slow": N_(
                    "Look at what has come out. The tickets that are missing are still here: print them again, or "
                    "take a sheet."
                ),
            },
            otherwise=N_(
                "Nothing is lost. Switch it off and on, then print again, or take a sheet. One that prints and never "
                "answers is to be marked so in its record."
            ),
        ),
        form_field="printer",
    )

    def __init__(self, fault: str, printer: str) -> None:
        super().__init__()
        self.fault = fault
        self.printer = printer


class WrongAddress(VoucherError):
    """No mail can go there."""

    reason = declare(
        "wrong_mail_address",
        HTTPStatus.BAD_REQUEST,
        N_("No message can go to this address."),
        N_("Compare it with the person: one address, such as ada@example.org."),
        form_field="to",
    )


@dataclass(eq=False)
class UnfitChoice(VoucherError):
    """What was chosen for the print cannot be: `field` says where, `most` up to what it could."""

    reason = declare(
        "unfit_print",
        HTTPStatus.BAD_REQUEST,
        N_("It cannot be printed like that."),
        Case(
            "field",
            {
                "narrow": N_(
                    "This language is printed as a picture, and needs paper of 80 mm: take another one."
                ),
                "large": N_("Labels are too small for large print: take A4 or a receipt."),
                "first_free": N_("The first free label is a number from 1 to %(most)s on this sheet."),
                "right": _OFFSET,
                "down": _OFFSET,
            },
            otherwise=N_("Choose from the list."),
        ),
    )
    field: str
    most: int = 0


class NoRoom(UnfitChoice):
    """This paper would cut off what every ticket must say: `cut` are of `portal.printing.papers.MUST`."""

    reason = declare(
        "no_room_on_paper",
        HTTPStatus.BAD_REQUEST,
        N_("It does not fit on this paper."),
        Case(
            "cuts_end",
            {
                True: N_(
                    "These labels would cut off until when the pass is good. "
                    "Choose A4, a receipt or larger labels: the codes are still here."
                )
            },
            otherwise=N_(
                "These labels would cut off the event. "
                "Choose A4, a receipt or larger labels: the codes are still here."
            ),
        ),
    )

    def __init__(self, cut: frozenset[str]) -> None:
        super().__init__("paper")
        self.cut = cut

    @property
    def facts(self) -> Mapping[str, object]:
        return {**vars(self), "cuts_end": "end" in self.cut}


@dataclass(eq=False)
class Unprinted(Denial):
    """The renderer could not take the job. `busy`: it can soon."""

    reason = declare(
        "codes_not_printed",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("That was not printed."),
        Case(
            "busy",
            {True: N_("Other sheets are being made. Print again in a minute: the codes are still here.")},
            otherwise=N_("Choose another paper, or read the codes out: they are still here."),
        ),
        retry_after="wait",
    )
    busy: bool = False

    @property
    def facts(self) -> Mapping[str, object]:
        return {"busy": self.busy, "wait": 30 if self.busy else None}
