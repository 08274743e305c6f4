"""Why a pass does not let somebody in, and why a batch is not made: each reason with its texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from auth.denials import N_, UNTIL, Case, Denial, Incident, NetworkSlugs, ProblemWords, declare
from auth.errors import AuthError


class UnknownVoucher(AuthError):
    """Nobody was ever given this code. It counts against the budgets of guessing; no other refusal of a pass does."""

    reason = declare(
        "unknown_pass",
        HTTPStatus.FORBIDDEN,
        N_("We do not know this code."),
        N_("Compare with your ticket, or ask at the desk."),
        incident=Incident(
            N_("Unknown pass"),
            N_("The code is well formed, and nobody was ever given it."),
            N_("Compare with the ticket; if it is the same, give another pass."),
            report=N_("Pass unknown"),
        ),
        form_field="code",
    )


@dataclass(eq=False)
class SpentVoucher(AuthError):
    """The pass was used, and its time ended at `until`."""

    reason = declare(
        "spent_pass",
        HTTPStatus.FORBIDDEN,
        N_("This pass ended: %(until)s."),
        N_("The desk can give you another."),
        incident=Incident(
            N_("Pass is over"),
            N_("The pass was used, and its time has ended."),
            N_("Give another pass."),
            report=N_("Pass used up"),
        ),
        form_field="code",
        facts=UNTIL,
        with_day=True,
    )
    until: datetime


@dataclass(eq=False)
class ExpiredVoucher(AuthError):
    """The pass was never used, and could be only until `until`."""

    reason = declare(
        "expired_pass",
        HTTPStatus.FORBIDDEN,
        N_("This pass could be used until %(until)s."),
        N_("The desk can give you another."),
        incident=Incident(
            N_("Pass never used in time"),
            N_("The pass could be used until a day that is over, and was not."),
            N_("Give another pass."),
            report=N_("Pass past its date"),
        ),
        form_field="code",
        facts=UNTIL,
        with_day=True,
    )
    until: datetime


@dataclass(eq=False)
class EarlyVoucher(AuthError):
    """The pass is good from `starts_at` on, and until then for nothing."""

    reason = declare(
        "early_pass",
        HTTPStatus.FORBIDDEN,
        N_("This pass is valid from %(starts_at)s."),
        N_("Your code is right: keep your ticket and type it on that day."),
        incident=Incident(
            N_("Pass for a later day"),
            N_("The pass is good, and its first day has not come yet."),
            N_("Say on which day it begins, or give another pass for today."),
            report=N_("Pass before its day"),
        ),
        form_field="code",
        facts={"starts_at": N_("Good from %(starts_at)s on.")},
        day_alone=True,
    )
    starts_at: datetime


@dataclass(eq=False)
class VoidVoucher(AuthError):
    """The pass was cancelled. `mark` is printed on the ticket: the desk finds the pass by it."""

    reason = declare(
        "void_pass",
        HTTPStatus.FORBIDDEN,
        N_("This pass was cancelled."),
        N_("Show the mark %(mark)s at the desk."),
        incident=Incident(
            N_("Pass cancelled"),
            N_("Somebody of the staff wrote this pass off, replaced it or took it back."),
            N_("Look at the pass to see why, and give another one if that is right."),
            report=N_("Pass void"),
        ),
        form_field="code",
        facts={"mark": ""},
    )
    mark: str


class SuspendedVoucher(AuthError):
    """The pass's whole batch is suspended for now."""

    reason = declare(
        "suspended_pass",
        HTTPStatus.FORBIDDEN,
        N_("This pass is on hold for now."),
        N_("Your code is right. Ask at the desk."),
        incident=Incident(
            N_("Batch on hold"),
            N_("The whole batch that this pass belongs to is suspended."),
            N_("The code is right. Whoever suspended the batch can resume it."),
            report=N_("Pass suspended"),
        ),
        form_field="code",
    )


@dataclass(eq=False)
class ForeignVoucher(AuthError):
    """The pass is good, but not on this network or at this site.

    `networks` and `sites` are the slugs of those where it is; none stands for all.
    """

    reason = declare(
        "foreign_pass",
        HTTPStatus.FORBIDDEN,
        N_("This pass is for another place."),
        Case(
            "holds_on_networks",
            {True: N_("Your code is right. It holds on: %(networks)s.")},
            otherwise=N_("Your code is right. Ask at the desk where it holds."),
        ),
        incident=Incident(
            N_("Pass for another place"),
            N_("The pass is good, and does not hold on this network or at this site."),
            N_("Say where it holds, or give one that holds here."),
            report=N_("Pass of another place"),
        ),
        form_field="code",
    )
    networks: Sequence[str] = ()
    sites: Sequence[str] = ()

    @property
    def facts(self) -> Mapping[str, object]:
        return {
            "networks": NetworkSlugs(self.networks),
            "holds_on_networks": bool(self.networks and not self.sites),
        }


class AlreadyUsed(AuthError):
    """The pass is good, and as many devices as it allows are online with it."""

    reason = declare(
        "pass_in_use",
        HTTPStatus.CONFLICT,
        N_("This pass is in use on another device."),
        N_("You can move it here. The other device then goes offline, and no time is lost."),
        incident=Incident(
            N_("Pass in use on another device"),
            N_("As many devices as the pass allows are online with it."),
            N_("The page offers to move it: one tap, and no time is lost."),
            report=N_("Pass in use on other devices"),
        ),
    )


class VoucherError(Denial):
    """Root of what the desk is refused."""


@dataclass(eq=False)
class UnknownPlan(Exception):
    """No plan is called `slug`. Only the command line takes names of plans."""

    slug: str


@dataclass(eq=False)
class ImpossibleCount(VoucherError):
    """A batch has from 1 to `most` passes."""

    reason = declare(
        "impossible_count",
        HTTPStatus.BAD_REQUEST,
        N_("How many passes?"),
        N_("A number from 1 to %(most)s. More are made on the command line."),
        form_field="count",
    )
    most: int


@dataclass(eq=False)
class EndedPlan(VoucherError):
    """Passes of this batch could be used only until `until`, which is over."""

    reason = declare(
        "ended_plan",
        HTTPStatus.BAD_REQUEST,
        N_("These passes would be over already."),
        N_("Choose a later last day."),
        form_field="last_day",
    )
    until: datetime


class NoDayBetween(VoucherError):
    """The first day of use comes after the last one."""

    reason = declare(
        "no_day_between",
        HTTPStatus.BAD_REQUEST,
        N_("These passes would have no day."),
        N_("The first day is after the last one: compare the two."),
        form_field="first_day",
    )


@dataclass(eq=False, kw_only=True)
class ImprudentBatch(VoucherError):
    """With so many codes alive, guessing would pay: more lucky guesses a day than may be.

    `live` codes already there and `count` new ones among `possible`, at `guesses` a day, make `expected` hits a day;
    `most` are borne.
    """

    reason = declare(
        "too_many_codes",
        HTTPStatus.CONFLICT,
        N_("So many passes at once would make guessing pay."),
        N_(
            "%(live)s codes are alive; with %(count)s more, guessing would hit one every %(days)s days. "
            "Void what is left of old batches first."
        ),
        api=ProblemWords(
            N_("So many passes at once would make guessing pay."),
            N_("Void what is left of old batches first, or ask for fewer."),
        ),
        form_field="count",
    )
    count: int
    live: int
    guesses: int
    possible: int
    expected: float
    most: float

    @property
    def facts(self) -> Mapping[str, object]:
        return {**vars(self), "days": max(1, int(1 / self.expected))}


class Irreplaceable(VoucherError):
    """The pass is void or over, and there is nothing left to replace."""

    reason = declare(
        "over",
        HTTPStatus.CONFLICT,
        N_("There is nothing left to replace."),
        N_("The pass is void or over. Issue a new one."),
        api=ProblemWords(
            N_("The pass is void or over."),
            N_("There is nothing left to replace or to revoke. Issue a new one."),
        ),
    )
