"""Why somebody is not written down as a recipient of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Denial, declare


@dataclass(eq=False)
class UnfitAddress(Denial):
    """This is no address that mail can be sent to."""

    reason = declare(
        "unfit_mail_address",
        HTTPStatus.BAD_REQUEST,
        N_("This is not an e-mail address."),
        N_("Write one address, such as reseau@ville.fr."),
        form_field="address",
    )


@dataclass(eq=False)
class ListedAddress(Denial):
    """This address is told already."""

    reason = declare(
        "listed_mail_address",
        HTTPStatus.CONFLICT,
        N_("%(address)s is on the list already."),
        N_("Take it off first, if it is to be told otherwise."),
        form_field="address",
    )
    address: str


@dataclass(eq=False)
class UnfitQuietHours(Denial):
    """These are no hours of the day, or one of the two is missing."""

    reason = declare(
        "unfit_quiet_hours",
        HTTPStatus.BAD_REQUEST,
        N_("These are not quiet hours."),
        N_("Write both times, such as 22:00 and 07:00, or leave both fields empty."),
        form_field="quiet_from",
    )
