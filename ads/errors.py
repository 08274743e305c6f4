"""Why an accepted message does not count, and why a campaign is not saved or shown: each reason with its texts."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from auth.denials import N_, OPENS_AT, Case, Denial, Incident, declare


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


@dataclass(eq=False)
class UnknownCampaign(Denial):
    """There is no campaign of this name."""

    reason = declare(
        "unknown_campaign",
        HTTPStatus.NOT_FOUND,
        N_("There is no campaign %(slug)s."),
        N_("Look for its name in the list of campaigns."),
    )
    slug: str


@dataclass(eq=False)
class TakenSlug(Denial):
    """Another campaign or creative has this name."""

    reason = declare(
        "taken_campaign_name",
        HTTPStatus.CONFLICT,
        N_("The name %(slug)s is taken."),
        N_("Choose another name."),
    )
    slug: str


@dataclass(eq=False)
class WrongCampaignState(Denial):
    """What was asked for cannot be done with a campaign in this state."""

    reason = declare(
        "wrong_campaign_state",
        HTTPStatus.CONFLICT,
        N_("This cannot be done: the campaign is in the state “%(state)s”."),
        N_("Look at the campaign again; somebody may have changed it."),
    )
    state: str


@dataclass(eq=False)
class ChangedCampaign(Denial):
    """Somebody else has changed the draft since it was shown."""

    reason = declare(
        "changed_campaign",
        HTTPStatus.CONFLICT,
        N_("Somebody has changed this campaign meanwhile."),
        N_(
            "What you typed is still here. Open the campaign in another window, compare, and send it again there."
        ),
    )


class FieldFault(enum.StrEnum):
    """What is wrong with one field of a campaign as it was typed."""

    MISSING = "missing"
    LONG = "long"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    ORDER = "order"
    HOURS = "hours"
    UNKNOWN = "unknown"
    REACH = "reach"
    TAKEN = "taken"


@dataclass(eq=False)
class UnfitField(Denial):
    """One field of a campaign cannot be read, or does not fit the others. `field` is its name in the form."""

    reason = declare(
        "unfit_campaign_field",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Case(
            "fault",
            {
                FieldFault.MISSING: N_("This is missing."),
                FieldFault.LONG: N_("This is too long."),
                FieldFault.NUMBER: N_("This is a whole number, 1 at least."),
                FieldFault.MONEY: N_("This is an amount in euros, such as 8.50."),
                FieldFault.DAY: N_("This is a day, such as 31/03/2027."),
                FieldFault.ORDER: N_("It ends before it starts."),
                FieldFault.HOURS: N_(
                    "These hours cannot be read. They are written like this: Mo-Fr 07:00-10:00"
                ),
                FieldFault.UNKNOWN: N_("This is not known here."),
                FieldFault.TAKEN: N_("This is there already."),
                FieldFault.REACH: N_("Choose among the networks that you work for."),
            },
        ),
        N_("What you typed is kept: correct it, and send it again."),
    )
    field: str
    fault: FieldFault


class NothingToShow(Denial):
    """The campaign has no creative."""

    reason = declare(
        "no_creative",
        HTTPStatus.CONFLICT,
        N_("The campaign has no message yet."),
        N_("Add at least one message, then propose it again."),
    )


@dataclass(eq=False)
class ForbiddenCategory(Denial):
    """The law forbids advertising this (`law`), whatever the conditions."""

    reason = declare(
        "forbidden_category",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The law forbids advertising this: %(law)s."),
        N_("A campaign of this category cannot be saved."),
        form_field="category",
    )
    category: str
    law: str


@dataclass(eq=False)
class UnmetConditions(Denial):
    """The law has conditions for this category (`law`), and nobody has written down how they are met."""

    reason = declare(
        "unmet_conditions",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The law has conditions for this category: %(law)s."),
        N_("Write down how the campaign meets them, then save it again."),
        form_field="conditions",
    )
    category: str
    law: str


@dataclass(eq=False)
class UnidentifiedAdvertiser(Denial):
    """An advertisement names who pays for it (`law`); this advertiser has no identity on record."""

    reason = declare(
        "unidentified_advertiser",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("An advertisement says who pays for it: %(law)s."),
        N_("Write down the advertiser’s name and number in the register."),
        form_field="identity",
    )
    law: str


@dataclass(eq=False)
class UndatedPolitical(Denial):
    """A political campaign has no first or no last day (`law`)."""

    reason = declare(
        "undated_political",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("A political campaign has a first and a last day: %(law)s."),
        N_("Give it both days."),
        form_field="ends",
    )
    law: str


@dataclass(eq=False)
class ElectionPeriod(Denial):
    """Campaigns of this category are forbidden (`law`) from `since` until after the election, at `until`."""

    reason = declare(
        "election_period",
        HTTPStatus.CONFLICT,
        N_("An election is near (%(election)s), and the law forbids it until then: %(law)s."),
        N_("It may be shown again from %(until)s on."),
        form_field="category",
        with_day=True,
    )
    election: str
    law: str
    until: datetime


class SameApprover(Denial):
    """Whoever wrote or proposed a campaign does not approve it."""

    reason = declare(
        "same_approver",
        HTTPStatus.FORBIDDEN,
        N_("Somebody else approves what you have written or proposed."),
        N_("Ask a colleague to look at it and approve it."),
    )


@dataclass(eq=False)
class UnnamedApprover(Denial):
    """A political campaign is approved by a person who gives their name (`law`)."""

    reason = declare(
        "unnamed_approver",
        HTTPStatus.FORBIDDEN,
        N_("A political campaign is approved by a person under their own name: %(law)s."),
        N_("Approve it with your name."),
    )
    law: str


class WrongOverrideEnd(Denial):
    """A crisis message ends in the future, and within a week."""

    reason = declare(
        "wrong_override_end",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("A crisis message ends by itself, within seven days."),
        N_("Say until when. It can be stopped before, and started again."),
        form_field="ends",
    )


class NoSuchOverride(Denial):
    """There is no such crisis message, or it is over."""

    reason = declare(
        "no_such_override",
        HTTPStatus.NOT_FOUND,
        N_("There is no such crisis message, or it is over."),
        N_("Look for its number in the list of those that are shown."),
    )


@dataclass(eq=False)
class UnknownAdvertiser(Denial):
    """There is no advertiser of this name."""

    reason = declare(
        "unknown_advertiser",
        HTTPStatus.NOT_FOUND,
        N_("There is no advertiser %(slug)s."),
        N_("Look for its name in the list of campaigns."),
    )
    slug: str


class UnfinishedMonth(Denial):
    """The figures of this month are not final: nothing is billed that may still change."""

    reason = declare(
        "unfinished_month",
        HTTPStatus.CONFLICT,
        N_("The figures of this month are not final yet."),
        N_("They are two days after its last day, once the sweep has made them."),
    )


class NothingToBill(Denial):
    """No campaign with a price was accepted in this month."""

    reason = declare(
        "nothing_to_bill",
        HTTPStatus.CONFLICT,
        N_("There is nothing to bill for this month."),
        N_("No message of a campaign with a price was accepted. No number is used up."),
    )


class UnknownLink(Denial):
    """No link to figures has this address: never, not any more, or revoked. One answer for all."""

    reason = declare(
        "unknown_advertiser_link",
        HTTPStatus.NOT_FOUND,
        N_("This address shows no figures."),
        N_("It may have expired. Ask the town for a new one."),
    )
