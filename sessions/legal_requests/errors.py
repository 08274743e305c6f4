"""Denials of requisitions: each reason with its texts."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Case, Denial, declare


class RequisitionError(Denial):
    """Something about a requisition was refused."""


@dataclass(eq=False)
class UnreadableEntry(RequisitionError):
    """What was given for `field` is missing or cannot be read."""

    reason = declare(
        "unreadable_requisition",
        HTTPStatus.BAD_REQUEST,
        N_("Something is missing or cannot be read."),
        Case(
            "field",
            {
                "authority": N_("Say who asks."),
                "signer": N_("Say who signed."),
                "reference": N_("Copy their reference."),
                "basis": N_("Choose the right they ask by from the list."),
                "basis_text": N_("Name the right they ask by: which law, which article."),
                "kind": N_("Choose what they ask for."),
                "public_address": N_("Type an address such as 203.0.113.10."),
                "port": N_("Type a port from 1 to 65535, or leave it empty where none was given."),
                "at": N_("Type the instant as 2026-11-22T14:10:05, with seconds."),
                "tolerance": N_("Type seconds from 0 to 3600."),
                "zone": N_("Say which zone the instant is in, or write its offset. Nobody may guess it."),
                "value": N_("Type a MAC address, an address, a site's short name or a pseudonym, as chosen."),
                "since": N_("Type the beginning as 2026-11-22T14:00."),
                "until": N_("Type the end as 2026-11-22T15:00: later than the beginning, by a year at most."),
            },
        ),
    )
    field: str


class ClosedRequisition(RequisitionError):
    """It was closed: nothing more leaves by it."""

    reason = declare(
        "closed_requisition",
        HTTPStatus.CONFLICT,
        N_("This requisition is closed."),
        N_("Nothing more leaves by it. Register a new one if they ask again."),
    )
