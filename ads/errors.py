"""Why an accepted message does not count: each reason with its texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from auth.denials import N_, OPENS_AT, Denial, Incident, declare


class SpentImpression(Denial):
    """This acceptance was counted before."""

    reason = declare(
        "spent_ticket",
        HTTPStatus.CONFLICT,
        N_("This was counted already."),
        N_("Look at your connection: it says until when you are online."),
        incident=Incident(
            N_("Counted already"),
            N_("The same button was sent a second time; the first one counted."),
            N_("Nothing is wrong: open the page of the connection."),
            report=N_("Message accepted already"),
        ),
    )


@dataclass(eq=False)
class NotDue(Denial):
    """The client is online, and may renew only from `opens_at` on."""

    reason = declare(
        "not_due",
        HTTPStatus.CONFLICT,
        N_("You are online already."),
        N_("You can renew from %(opens_at)s on."),
        incident=Incident(
            N_("Renewed too early"),
            N_("The device is online already, and can renew only in the last minutes."),
            N_("Nothing is wrong: they are online."),
            report=N_("Renewal asked for too early"),
        ),
        facts=OPENS_AT,
    )
    opens_at: datetime
