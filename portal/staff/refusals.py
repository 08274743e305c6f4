"""What was refused on the staff's pages, in words: what happened, and what to do next."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.denials import Denial
from auth.staff.errors import (
    BeyondAuthority,
    BusyHashing,
    DependentPerson,
    LastAdmin,
    NoReach,
    NoReason,
    NoRole,
    OverRequest,
    RolesApart,
    SpentSetup,
    SpentSignin,
    StaffError,
    TakenLogin,
    TakesTwo,
    UnknownNetworks,
    UnreadableLogin,
    Weakness,
    WeakPassword,
    WrongCode,
    WrongStaffCredentials,
    WrongWord,
)
from auth.staff.form_results import SentBefore
from auth.staff.roles import Role
from auth.vouchers.errors import EndedPlan, ImpossibleCount, ImprudentBatch, VoucherError
from portal.denials.rendering import Refusal, staff_page
from portal.i18n.translation import say
from portal.printing.typesetter import FailedPrinting, RendererBusy
from portal.staff import staff
from portal.staff.access import NotAllowed, TownWideOnly
from portal.staff.forms import ForeignForm, FormerCodes
from portal.staff.login import me
from portal.staff.vouchers.errors import (
    MOST_AT_THE_DESK,
    ForeignPlan,
    NoRoom,
    UnfitChoice,
    Unprinted,
    UnreadableCount,
    UnreadableDay,
)
from sessions.legal_requests.errors import RequisitionError

ZONE = "Europe/Paris"


def refusal_of(error: Exception) -> Refusal:
    """The refusal to show for `error`."""
    if isinstance(error, Denial) and hasattr(error, "reason"):
        return staff_page(error)
    match error:
        case WrongStaffCredentials():
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
                say("Login or password is wrong."),
                say("Try again. Forgotten it? An administrator can send you a new link."),
                field="login",
            )
        case WrongCode():
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
                say("That code is not right."),
                say(
                    "Wait for the next one and type it at once; each works only once. A recovery code works too."
                ),
                field="code",
            )
        case SpentSignin():
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                say("That was sent twice, and each code works only once."),
                say("Sign in again with the next code: press the button once and wait."),
            )
        case BusyHashing():
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("Too many people are signing in at once."),
                say("Nothing is lost. Try again in a few seconds."),
                retry_after=2,
            )
        case WeakPassword():
            return Refusal(
                HTTPStatus.BAD_REQUEST, say("Choose another password."), _why(error), field="password"
            )
        case RendererBusy() | FailedPrinting():
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("That was not printed."),
                say("Try again in a minute. The page and the table for a spreadsheet hold the same figures."),
            )
        case Unprinted():
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("That was not printed."),
                say("Other sheets are being made. Print again in a minute: the codes are still here.")
                if error.busy
                else say("Choose another paper, or read the codes out: they are still here."),
                retry_after=30 if error.busy else None,
            )
        case SpentSetup():
            return Refusal(
                HTTPStatus.GONE,
                say("This link was used, or is too old."),
                say("Ask an administrator for a new one. If your account is set up, just sign in."),
            )
        case NotAllowed():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("Your account does not include this."),
                _who_can_give_it(),
            )
        case TownWideOnly():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("This is for the whole town."),
                say("It touches networks that are not yours. Ask a colleague who works for all of them."),
            )
        case ForeignForm():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("This form is not from your present sign-in."),
                say("Nothing was changed. Open the page again and repeat what you did."),
            )
        case FormerCodes():
            return Refusal(
                HTTPStatus.GONE,
                say("This cannot be shown any more."),
                say(
                    "What is secret is kept nowhere, and shown only while the sign-in that made it lasts. "
                    "Make a new one. Passes: their batch stands in the list; replace one there, or void what is left."
                ),
            )
        case NoReason():
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                say("Why do you need to see more?"),
                say("Nothing was unmasked. Go back and give a reason of at least ten characters."),
            )
        case VoucherError():
            return _about_passes(error)
        case RequisitionError():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("This requisition is closed."),
                say("Nothing more leaves by it. Register a new one if they ask again."),
            )
        case SentBefore():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("This was done already."),
                say("It was sent twice and done once. Nothing is lost."),
            )
        case _:
            return _about_accounts(error)


def _about_passes(error: VoucherError) -> Refusal:
    match error:
        case UnreadableCount() | ImpossibleCount():
            title = say("How many passes?")
            text = say(
                "A number from 1 to %(most)s. More are made on the command line.", most=MOST_AT_THE_DESK
            )
            return Refusal(HTTPStatus.BAD_REQUEST, title, text, field="count")
        case UnreadableDay() | EndedPlan():
            title = say("These passes would be over already.")
            return Refusal(HTTPStatus.BAD_REQUEST, title, say("Choose a later last day."), field="last_day")
        case ForeignPlan():
            title = say("This kind of pass does not hold at this desk.")
            text = say("Choose another kind, or the desk where the visitor will be.")
            return Refusal(HTTPStatus.BAD_REQUEST, title, text, field="plan")
        case NoRoom():
            title = say("It does not fit on this paper.")
            what = say("the event") if "end" not in error.fields else say("until when the pass is good")
            text = say(
                "These labels would cut off %(what)s. Choose A4, a receipt or larger labels: the codes are still here.",
                what=what,
            )
            return Refusal(HTTPStatus.BAD_REQUEST, title, text, field="paper")
        case UnfitChoice():
            return _about_print(error)
        case ImprudentBatch():
            title = say("So many passes at once would make guessing pay.")
            text = say(
                "%(live)s codes are alive; with %(count)s more, guessing would hit one every %(days)s days. "
                "Void what is left of old batches first.",
                live=error.live,
                count=error.count,
                days=max(1, int(1 / error.expected)),
            )
            return Refusal(HTTPStatus.CONFLICT, title, text, field="count")
        case _:
            title = say("There is nothing left to replace.")
            return Refusal(HTTPStatus.CONFLICT, title, say("The pass is void or over. Issue a new one."))


def _about_print(error: UnfitChoice) -> Refusal:
    title = say("It cannot be printed like that.")
    match error.field:
        case "large":
            text = say("Labels are too small for large print: take A4 or a receipt.")
        case "first_free":
            text = say("The first free label is a number from 1 to %(most)s on this sheet.", most=error.most)
        case "right" | "down":
            text = say(
                "A correction is a number of millimetres, %(most)s at most either way.", most=error.most
            )
        case _:
            text = say("Choose from the list.")
    return Refusal(HTTPStatus.BAD_REQUEST, title, text, field=error.field)


def _about_accounts(error: Exception) -> Refusal:
    match error:
        case TakenLogin():
            title, text = say("There is somebody with this login."), say("Choose another one.")
        case UnreadableLogin():
            title = say("That is not a login.")
            text = say("Use 2 to 64 small letters, digits, dots or underscores.")
        case UnknownNetworks():
            title, text = say("There is no such network."), say("Choose from the list.")
        case NoReach():
            title = say("For which networks?")
            text = say("Choose all of them, or tick those that are meant: an empty field means none.")
        case RolesApart():
            title = say("These two roles are never one person’s.")
            text = say("Who gives out the roles and who answers for data protection watch each other.")
        case TakesTwo():
            title = say("This takes a second person.")
            text = say("Begin the account anew instead: somebody else has to grant that.")
        case DependentPerson():
            title = say("You are not a second person here.")
            text = say(
                "It is about you, or the link to your account came from whoever asked. Let somebody else grant it."
            )
        case OverRequest():
            title = say("This request is over.")
            text = say("It was granted, refused, replaced, or left for more than a week.")
        case WrongWord():
            title = say("That is not the word.")
            text = say("Ask the person who granted the account. Each link has a word of its own.")
        case NoRole():
            title, text = (
                say("No role was chosen."),
                say("Choose at least one: without it the account can do nothing."),
            )
        case LastAdmin():
            title = say("This is the last administrator of all networks.")
            text = say("Make somebody else an administrator first.")
        case BeyondAuthority():
            title = say("That is more than you may give.")
            text = say("You can give your own networks, and change those who work for them alone.")
        case _:
            title, text = say("This took too long."), say("Sign in again: it takes half a minute.")
    return Refusal(HTTPStatus.BAD_REQUEST, title, text)


def _who_can_give_it() -> str:
    """What helps somebody whose roles do not include a page."""
    person = me()
    if person is not None and Role.ADMIN in person.authority.roles:
        return say(
            "It belongs to other people on purpose: who gives out the roles does not look into the log."
        )
    return say("An administrator can give you the role for it.")


def _why(error: WeakPassword) -> str:
    return {
        Weakness.SHORT: say(
            "It needs 12 characters at least. Four words that do not belong together are a good one."
        ),
        Weakness.LONG: say("It may have 256 characters at most."),
        Weakness.MONOTONOUS: say("It repeats a few characters: that is guessed first."),
        Weakness.NAMED: say("It is little more than your name: that is guessed first."),
    }[error.weakness]


def refused(error: Exception) -> Response:
    """A page of its own for a refusal."""
    refusal = refusal_of(error)
    return make_response(render_template("staff/error.html", refusal=refusal), refusal.status)


@staff.errorhandler(SentBefore)
def led_before(error: SentBefore) -> AnyResponse:
    """A form that was carried out before leads where it led then; a page that shows something once says so."""
    if not error.place:
        return refused(error)
    mark = "&" if "?" in error.place else "?"
    return redirect(f"{error.place}{mark}again=1", HTTPStatus.SEE_OTHER)


for _kind in (
    StaffError,
    VoucherError,
    RequisitionError,
    NotAllowed,
    TownWideOnly,
    ForeignForm,
    FormerCodes,
    Unprinted,
    RendererBusy,
    FailedPrinting,
):
    staff.register_error_handler(_kind, refused)
