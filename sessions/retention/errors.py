"""The denials of retention: a term that cannot be, a hold that cannot be placed, a second person who is the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Case, Denial, declare
from sessions.retention.law import Floor


class StaleRule(Denial):
    """Somebody else changed this line in between."""

    reason = declare(
        "stale_rule",
        HTTPStatus.CONFLICT,
        N_("Somebody else changed this line in between."),
        N_("Look at what holds now, and change that if you still want to."),
    )


@dataclass(eq=False)
class BelowLaw(Denial):
    """The law asks for more than this: `floor`."""

    reason = declare(
        "below_law",
        HTTPStatus.BAD_REQUEST,
        N_("The law asks for more than that."),
        N_("At least %(term)s: %(source)s."),
        form_field="amount",
    )
    floor: Floor

    @property
    def facts(self) -> Mapping[str, object]:
        return {"term": self.floor.term, "source": self.floor.source}


class SamePerson(Denial):
    """Whoever asked for a shorter term cannot be the second person as well."""

    reason = declare(
        "same_shortener",
        HTTPStatus.CONFLICT,
        N_("A shorter term, and a purge after it, take a second person."),
        N_("Ask a colleague who answers for data protection for the whole town."),
    )


class OpenChange(Denial):
    """A shorter term of this class waits already."""

    reason = declare(
        "open_change",
        HTTPStatus.CONFLICT,
        N_("A shorter term of this class waits already."),
        N_("Withdraw it first, if another one is wanted."),
    )


class OverChange(Denial):
    """This change was carried out, withdrawn or confirmed before."""

    reason = declare(
        "over_change",
        HTTPStatus.CONFLICT,
        N_("This shorter term does not wait any more."),
        N_("Look at what holds now, and change that if you still want to."),
    )


class UnreadableTerm(Denial):
    """The term is no whole number between one day and ten years, or its basis is not said."""

    reason = declare(
        "unreadable_term",
        HTTPStatus.BAD_REQUEST,
        N_("This term cannot be used."),
        N_("A whole number, from one day to ten years, and the text of law that says so."),
        form_field="amount",
    )


@dataclass(eq=False)
class BadHold(Denial):
    """The hold cannot be placed. `field` names what is missing or unreadable."""

    reason = declare(
        "bad_hold",
        HTTPStatus.BAD_REQUEST,
        N_("This hold was not placed."),
        Case(
            "wrong",
            {
                "reference": N_("Give the reference of the order."),
                "reason": N_("Say why, in a sentence."),
                "expires_at": N_("Give its last day: from tomorrow, three years at most."),
                "mac": N_("A MAC address looks like 02:00:00:00:0a:01."),
                "site": N_("There is no such site."),
                "network": N_("Choose the network whose hold it is."),
                "until": N_("The end of the window comes after its beginning, both as 2026-11-26."),
                "scope": N_("Say what is held: a MAC address, an address, a pseudonym, a site or a window."),
            },
        ),
    )
    field: str

    @property
    def facts(self) -> Mapping[str, object]:
        return {"wrong": self.field, "field": "mac" if self.field == "scope" else self.field}


class SameHolder(Denial):
    """Whoever placed a hold, or asked to lift it, cannot be the second person as well."""

    reason = declare(
        "same_person",
        HTTPStatus.CONFLICT,
        N_("A hold is confirmed, and lifted, by a second person."),
        N_("Ask a colleague who answers for data protection."),
    )


class OverHold(Denial):
    """This hold has ended, or was confirmed before."""

    reason = declare(
        "over_hold",
        HTTPStatus.CONFLICT,
        N_("This hold has ended, or was confirmed before."),
        N_("The list below says what holds now."),
    )
