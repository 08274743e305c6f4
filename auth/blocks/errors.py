"""Why a blocked device or person does not come in, and what is wrong with a block that staff asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from auth.blocks.models import BlockCause
from auth.denials import N_, Case, Denial, Incident, Text, declare
from auth.errors import AuthError

_ADVICE = Case(
    "cause",
    {
        BlockCause.DISTURBANCE: N_(
            "The wifi was disturbed for others. This holds until %(until)s. If it is a mistake, give the staff the "
            "code of this page."
        ),
        BlockCause.MISUSE: N_(
            "The terms of use were not kept. This holds until %(until)s. If it is a mistake, give the staff the code "
            "of this page."
        ),
        BlockCause.LOST: N_(
            "It was reported lost or stolen. This holds until %(until)s. If it is yours, give the staff the code of "
            "this page."
        ),
        BlockCause.DECISION: N_(
            "The staff has decided so. This holds until %(until)s. If it is a mistake, give the staff the code of "
            "this page."
        ),
    },
)
_FACTS: Mapping[str, Text] = {
    "until": N_("Until %(until)s."),
    "cause": Case(
        "cause",
        {
            BlockCause.DISTURBANCE: N_("Cause: it disturbed the network."),
            BlockCause.MISUSE: N_("Cause: the terms of use were not kept."),
            BlockCause.LOST: N_("Cause: reported lost or stolen."),
            BlockCause.DECISION: N_("Cause: a decision of the staff."),
        },
    ),
}


@dataclass(eq=False)
class BlockedDevice(AuthError):
    """Staff has blocked this MAC address until `until`."""

    reason = declare(
        "blocked_device",
        HTTPStatus.FORBIDDEN,
        N_("This device is blocked on this wifi."),
        _ADVICE,
        incident=Incident(
            N_("Device blocked"),
            N_("Staff has blocked this device’s address on this network, for a time and with a reason."),
            N_("The list of blocks says why and until when; who may block can lift it there."),
        ),
        facts=_FACTS,
        with_day=True,
    )
    cause: BlockCause
    until: datetime


@dataclass(eq=False)
class BlockedPerson(AuthError):
    """The secret was right; staff has blocked this patron until `until`."""

    reason = declare(
        "blocked_person",
        HTTPStatus.FORBIDDEN,
        N_("Your card is blocked on this wifi."),
        _ADVICE,
        incident=Incident(
            N_("Person blocked"),
            N_("Card and PIN were right; staff has blocked this person on this network, for a time."),
            N_("The list of blocks says why and until when; who may block can lift it there."),
        ),
        facts=_FACTS,
        with_day=True,
    )
    cause: BlockCause
    until: datetime


@dataclass(eq=False)
class UnusableBlock(Denial):
    """`field` of the block that staff asks for is not as it must be."""

    reason = declare(
        "unusable_block",
        HTTPStatus.BAD_REQUEST,
        Case(
            "field",
            {
                "kind": N_("Choose what is blocked."),
                "mac": N_("That is no MAC address."),
                "who": N_("That is neither a MAC address nor a card that the directory knows."),
                "card": N_("The library’s directory knows no such card."),
                "person": N_("No card let this session in."),
                "network": N_("Choose a network."),
                "cause": N_("Choose why."),
                "until": N_("The last day lies in the past, or more than a year ahead."),
                "reason": N_("Say why, in a few words."),
            },
        ),
        Case(
            "field",
            {
                "kind": N_("A device, or the person of a library card."),
                "mac": N_("Write it as a4:83:e7:00:11:22, as the device’s wifi settings show it."),
                "person": N_("Block the device, or take the pass back."),
                "who": N_("Write it as a4:83:e7:00:11:22, or type the number printed on the card."),
                "card": N_("Check the number printed on the card."),
                "network": N_("Yours are in the list."),
                "cause": N_("The guest is told this, in the guest’s language."),
                "until": N_(
                    "Write it as 31/03/2027. A block is never for ever: one that is still needed is placed anew."
                ),
                "reason": N_("It stays in the audit log."),
            },
        ),
    )
    field: str
