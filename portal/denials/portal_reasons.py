"""The portal's own reasons: who asks and from where, what HTTP refuses, and what is wrong with ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import ads.errors
import auth.blocks.errors
import auth.devices.errors
import auth.errors
import auth.resume_codes
import auth.tokens
import auth.vouchers.codes
import auth.vouchers.errors
from auth.denials import N_, Denial, DenialReason, Incident, ProblemWords, declare
from db.troubles import trouble_of

# Incidents are read wherever the log is: the modules that declare what may stand there are loaded with it.
WRITTEN_DOWN = (
    ads.errors,
    auth.blocks.errors,
    auth.devices.errors,
    auth.errors,
    auth.resume_codes,
    auth.tokens,
    auth.vouchers.codes,
    auth.vouchers.errors,
)

NOT_HERE = declare(
    "not_here",
    HTTPStatus.FORBIDDEN,
    N_("You are not on our wifi"),
    N_(
        "On our wifi already? Switch your device's wifi off and on, and use no VPN and no mobile data meanwhile."
    ),
    incident=Incident(
        N_("Not behind a gateway of ours"),
        N_(
            "No gateway has this device, as far as the portal can tell: mobile data, a VPN, or another network."
        ),
        N_("Switch VPN and mobile data off, the wifi off and on, and open the portal's page again."),
        report=N_("Not on our wifi"),
    ),
)
NOT_OFFERED = declare(
    "not_offered",
    HTTPStatus.OK,
    N_("This network does not offer that."),
    N_("Get online here in one of the ways below."),
    incident=Incident(
        N_("Not offered on this network"),
        N_("The device is on a network that does not take this way of signing in."),
        N_("Name the network that takes it, or the way that this one takes."),
        report=N_("Way of signing in not offered here"),
    ),
)
UNCONFIRMED = declare(
    "unconfirmed",
    HTTPStatus.SERVICE_UNAVAILABLE,
    N_("Connecting…"),
    N_("Your access is granted. The equipment here is letting you through; this page asks again by itself."),
    incident=Incident(
        N_("Gateway has not confirmed"),
        N_(
            "Access was granted, and the gateway had not said after five seconds that it lets the device through."
        ),
        N_("The gateway is silent or slow: look at the gateways. It is not their device."),
        report=N_("Gateway did not answer"),
    ),
    retry_after=3,
    facts={"lease": "", "refused": N_("The gateway said: %(refused)s")},
)


NOT_LET_THROUGH = declare(
    "not_let_through",
    HTTPStatus.OK,
    N_("The equipment here did not let you through."),
    N_("Your access is still granted. Try once more."),
    incident=Incident(
        N_("Gateway refused the sign-in"),
        N_("Access was granted, and the gateway did not take what the browser carried to it."),
        N_(
            "Look at the gateway: its clock, its RADIUS server and its shared secret. It is not their device."
        ),
        report=N_("Gateway refused a granted sign-in"),
    ),
    facts={"said": N_("The gateway said: %(said)s")},
)


class KeptNoLonger(Denial):
    """What is to be used again, this browser does not keep any more. No database was asked."""

    reason = declare(
        "kept_no_longer",
        HTTPStatus.GONE,
        N_("This is no longer kept on this device."),
        N_("Type the code or the number once more."),
        form_field="code",
    )


# What HTTP refuses (RFC 9110, section 15.5).
UNREADABLE = declare(
    "unreadable",
    HTTPStatus.BAD_REQUEST,
    N_("That request could not be read."),
    N_("Begin again at the start."),
    api=ProblemWords(
        N_("That request could not be read."), N_("Send one JSON object in UTF-8, with each field once.")
    ),
)
FOREIGN_FORM = declare(
    "foreign_form",
    HTTPStatus.FORBIDDEN,
    N_("This page did not come from here."),
    N_("Begin again with the button."),
    api=ProblemWords(
        N_("This was sent by a page of another site."),
        N_("Call from a program of yours, never from a visitor’s browser: the token would be seen."),
        type="foreign-page",
    ),
    incident=Incident(
        N_("Form from elsewhere"),
        N_("The browser said that another site sent the form. Nothing was done."),
        N_("Open the portal's page itself and begin again."),
        report=N_("Form from another site"),
    ),
)
UNKNOWN = declare(
    "unknown",
    HTTPStatus.NOT_FOUND,
    N_("There is no such page."),
    N_("Begin again at the start."),
    api=ProblemWords(
        N_("There is nothing of that kind."),
        N_("Check the address; of other networks’ passes a token sees nothing."),
    ),
)
WRONG_METHOD = declare(
    "wrong_method",
    HTTPStatus.METHOD_NOT_ALLOWED,
    N_("That is not done by a link."),
    N_("Use the button on the page."),
    api=ProblemWords(N_("That is not done in this way."), N_("Use one of the methods in the header Allow.")),
)
TOO_LARGE = declare(
    "too_large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    N_("That is too large for this form."),
    N_("Send less, or in several parts."),
    api=ProblemWords(
        N_("The request is too large."),
        N_("Send less than 16 KiB; for more passes, send several requests."),
    ),
)
NOT_JSON = declare(
    "not_json",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UNREADABLE.title,
    UNREADABLE.advice,
    api=ProblemWords(N_("The request is not JSON."), N_("Send it as Content-Type: application/json.")),
)
MISDIRECTED = declare(
    "misdirected",
    HTTPStatus.MISDIRECTED_REQUEST,
    N_("The portal has another address."),
    N_("Go on with the button."),
)
OF_STATUS = {
    reason.status: reason
    for reason in (FOREIGN_FORM, UNKNOWN, WRONG_METHOD, TOO_LARGE, NOT_JSON, MISDIRECTED)
}


class Busy(Denial):
    """The database is away for a moment, or busy for more than two seconds."""

    reason = declare(
        "busy",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The portal is busy."),
        N_("Nothing is lost. Try again in a few seconds."),
        api=ProblemWords(
            N_("The database is busy."),
            N_("Nothing was done. Send the same request again in a few seconds."),
            retry_after=5,
        ),
        incident=Incident(
            N_("Portal busy"),
            N_("The portal's database was away or busy for more than two seconds."),
            N_("Try again in a few seconds. Tell the operator if it lasts."),
            report=N_("Too many at once"),
        ),
        retry_after=3,
    )


class DatabaseTrouble(Denial):
    """The database cannot be read or written; nor can an incident then."""

    reason = declare(
        "database_trouble",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The portal cannot let anybody in just now."),
        N_(
            "The fault is on our side. Whoever is online stays online. "
            "Try again in a few minutes, or ask at the desk."
        ),
        retry_after=60,
    )


@dataclass(eq=False)
class Unexpected(Denial):
    """An error of our own; `fault` is the name of its type."""

    reason = declare(
        "fault",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        N_("Something went wrong on our side."),
        N_("Nothing is lost. Try again in a few seconds."),
        api=ProblemWords(
            N_("Something went wrong on our side."),
            N_("Send the same request again in a minute, with the same Idempotency-Key."),
            type="broken",
        ),
        incident=Incident(
            N_("Fault of ours"),
            N_("The portal met an error of its own; the operator finds it in the portal's log at this time."),
            N_("Try again. Tell the operator the code and the time."),
        ),
        facts={"fault": ""},
    )
    fault: str


def of_status(status: int | None) -> DenialReason:
    """The reason that stands for an HTTP status."""
    return OF_STATUS.get(HTTPStatus(status or 500), UNREADABLE)


def denial_of(error: Exception) -> Denial:
    """What `error` comes to: itself, or what it means for the one who asked."""
    if isinstance(error, Denial):
        return error
    if trouble_of(error) is not None:
        return DatabaseTrouble()
    if isinstance(error, (OperationalError, PoolTimeout)):
        return Busy()
    return Unexpected(type(error).__name__)
