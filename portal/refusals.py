"""From the type of a refusal to its status and its words. Every one says what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ads.ledger import NotDue, SpentTicket
from auth.errors import (
    BlockedCard,
    DirectoryUnavailable,
    ExpiredCard,
    TooManyAttempts,
    WrongCredentials,
    WrongPlace,
)
from auth.tokens import EarlyToken, ExpiredToken, InvalidToken
from gateways.landing import ExpiredLanding, ForeignLanding
from portal.services import services
from portal.visits import ForeignVisit
from portal.wording import clock_time, say

REFUSED: tuple[type[Exception], ...] = (
    WrongCredentials,
    ExpiredCard,
    BlockedCard,
    WrongPlace,
    TooManyAttempts,
    DirectoryUnavailable,
    ForeignVisit,
    ForeignLanding,
    InvalidToken,
    NotDue,
    SpentTicket,
    OperationalError,
    PoolTimeout,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What happened and what to do, in the guest's language. `field` names the form field it belongs to, if any."""

    status: HTTPStatus
    title: str
    text: str
    field: str | None = None
    retry_after: int | None = None


def refusal_of(error: Exception, *, zone: str) -> Refusal:
    """The refusal to show for `error`. Times are told in `zone`."""
    match error:
        case WrongCredentials():
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
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
        case _:
            return _other(error, zone=zone)


def _other(error: Exception, *, zone: str) -> Refusal:
    match error:
        case ExpiredLanding() | ExpiredToken():
            return Refusal(
                HTTPStatus.GONE,
                say("This page has been open for too long."),
                say("Nothing is lost. Begin again with the button."),
            )
        case ForeignVisit() | ForeignLanding() | EarlyToken() | InvalidToken():
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
        case SpentTicket():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("This was counted already."),
                say("Look at your connection: it says until when you are online."),
            )
        case _:
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("The portal is busy."),
                say("Nothing is lost. Try again in a few seconds."),
                retry_after=3,
            )
