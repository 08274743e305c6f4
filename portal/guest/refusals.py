"""From the type of a refusal to its status and its words. Every one says what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ads.ledger import NotDue, SpentImpression
from auth.errors import (
    AuthError,
    BlockedCard,
    DirectoryUnavailable,
    ExpiredCard,
    PasswordToChange,
    TooManyAttempts,
    WrongCredentials,
    WrongPlace,
)
from auth.tokens import EarlyToken, ExpiredToken, InvalidToken
from auth.vouchers import codes
from auth.vouchers.errors import (
    AlreadyUsed,
    ExpiredVoucher,
    ForeignVoucher,
    SpentVoucher,
    SuspendedVoucher,
    UnknownVoucher,
    VoidVoucher,
)
from db.troubles import trouble_of
from gateways.landing_token import ExpiredLanding, ForeignLanding
from portal.http.clients import ForeignClient
from portal.i18n.translation import clock_time, end_time, say, say_number
from portal.services import services

REFUSED: tuple[type[Exception], ...] = (
    WrongCredentials,
    ExpiredCard,
    BlockedCard,
    PasswordToChange,
    WrongPlace,
    TooManyAttempts,
    DirectoryUnavailable,
    ForeignClient,
    ForeignLanding,
    InvalidToken,
    NotDue,
    SpentImpression,
    OperationalError,
    # What PostgreSQL says of a database that cannot be written to.
    InternalError,
    PoolTimeout,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What happened and what to do, in the guest's language. `field` names the form field it belongs to, if any.

    `onward` is where the page's button leads; None for the start of these pages. `incident` is the code under which
    staff find it in the log; empty where it was not written down. `beside` says what is wrong with each field, where
    the form says it all and needs no words above it.
    """

    status: HTTPStatus
    title: str
    text: str
    field: str | None = None
    retry_after: int | None = None
    incident: str | None = None
    onward: str | None = None
    beside: Mapping[str, str] | None = None

    @property
    def by_field(self) -> Mapping[str, str]:
        """What is wrong with each form field, by its name."""
        return self.beside or ({self.field: self.title} if self.field else {})


def refusal_of(error: Exception, *, zone: str) -> Refusal:
    """The refusal to show for `error`. Times are told in `zone`."""
    match error:
        case WrongCredentials():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("Card number or PIN is wrong."),
                say("Use the PIN of your library account. Forgotten it? The desk can set a new one."),
                field="login",
            )
        case ExpiredCard():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("Your card needs renewing."),
                say("The desk renews it in a minute. Until then, ask there for a pass for the day."),
            )
        case BlockedCard():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("Your card is blocked."),
                say(
                    "The desk can tell you why and put it right. You can also ask there for a pass for the day."
                ),
            )
        case PasswordToChange():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("Your PIN has to be changed first."),
                say(
                    "It was the right one, and your card is not blocked. Change it in your library account, or ask the "
                    "desk for a new one. Until then, ask there for a pass for the day."
                ),
            )
        case WrongPlace():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("Your card does not open this network."),
                say("Ask at the desk which network is yours."),
            )
        case TooManyAttempts():
            return Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                say("Too many attempts."),
                say("Try again at %(time)s, or ask at the desk.", time=clock_time(error.until, zone)),
                retry_after=max(1, int((error.until - services().clock()).total_seconds())),
            )
        case DirectoryUnavailable():
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("We cannot check cards right now."),
                say("It is not your PIN. Try again in a minute, or ask at the desk for a pass for the day."),
                retry_after=error.retry_after_seconds,
            )
        case codes.UnreadableCode():
            return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, *_what_is_wrong(error), field="code")
        case AuthError() if words := _about_the_pass(error, zone):
            status = HTTPStatus.CONFLICT if isinstance(error, AlreadyUsed) else HTTPStatus.FORBIDDEN
            return Refusal(status, *words, field=None if isinstance(error, AlreadyUsed) else "code")
        case _:
            return _other(error, zone=zone)


def _what_is_wrong(error: codes.UnreadableCode) -> tuple[str, str]:
    """What is wrong with a code that cannot be one: title and text."""
    example = codes.EXAMPLE
    match error:
        case codes.TooShort():
            return (
                say_number("%(n)s character is missing.", "%(n)s characters are missing.", error.missing),
                say("A code has 9, like %(example)s.", example=example),
            )
        case codes.TooLong():
            return (
                say_number("%(n)s character is too many.", "%(n)s characters are too many.", error.surplus),
                say("A code has 9, like %(example)s.", example=example),
            )
        case codes.LookAlike():
            return (
                say("Codes never contain 0, O, 1, I or L."),
                say("Check character number %(position)s.", position=error.position),
            )
        case codes.FailedCheck():
            return (
                say("One character is wrong, or two are swapped."),
                say("Compare with your ticket, group by group."),
            )
        case _:
            return (
                say("There is no code here."),
                say("Type the 9 characters of your ticket, like %(example)s.", example=example),
            )


def _about_the_pass(error: AuthError, zone: str) -> tuple[str, str] | None:
    """Why a pass does not let somebody in: title and text; None where it is not about a pass."""
    time: Callable[[datetime], str] = lambda at: end_time(at, zone, now=services().clock())  # noqa: E731
    match error:
        case UnknownVoucher():
            return say("We do not know this code."), say("Compare with your ticket, or ask at the desk.")
        case SpentVoucher():
            return (
                say("This pass ended: %(time)s.", time=time(error.until)),
                say("The desk can give you another."),
            )
        case ExpiredVoucher():
            return (
                say("This pass could be used until %(time)s.", time=time(error.until)),
                say("The desk can give you another."),
            )
        case VoidVoucher():
            return say("This pass was cancelled."), say(
                "Show the mark %(mark)s at the desk.", mark=error.mark
            )
        case SuspendedVoucher():
            return say("This pass is on hold for now."), say("Your code is right. Ask at the desk.")
        case ForeignVoucher():
            return (
                say("This pass is for another place."),
                _where_it_holds(error),
            )
        case AlreadyUsed():
            return (
                say("This pass is in use on another device."),
                say("You can move it here. The other device then goes offline, and no time is lost."),
            )
    return None


def _where_it_holds(error: ForeignVoucher) -> str:
    networks = [one.name for one in services().places.networks() if one.slug in error.networks]
    if networks and not error.sites:
        return say("Your code is right. It holds on: %(networks)s.", networks=", ".join(networks))
    return say("Your code is right. Ask at the desk where it holds.")


def _other(error: Exception, *, zone: str) -> Refusal:
    match error:
        case ExpiredLanding() | ExpiredToken():
            return Refusal(
                HTTPStatus.GONE,
                say("This page has been open for too long."),
                say("Begin again with the button. For your safety, what was typed is not kept."),
            )
        case ForeignClient() | ForeignLanding() | EarlyToken() | InvalidToken():
            return Refusal(
                HTTPStatus.FORBIDDEN,
                say("This page is not for this device."),
                say("Begin again with the button, on the device that you want to connect."),
            )
        case NotDue():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("You are online already."),
                say("You can renew from %(time)s on.", time=clock_time(error.opens_at, zone)),
            )
        case SpentImpression():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("This was counted already."),
                say("Look at your connection: it says until when you are online."),
            )
        case _ if trouble_of(error) is not None:
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("The portal cannot let anybody in just now."),
                say(
                    "The fault is on our side. Whoever is online stays online. "
                    "Try again in a few minutes, or ask at the desk."
                ),
                retry_after=60,
            )
        case _:
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("The portal is busy."),
                say("Nothing is lost. Try again in a few seconds."),
                retry_after=3,
            )
