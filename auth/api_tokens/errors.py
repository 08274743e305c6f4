"""The denials of tokens, and of requests and forms that are sent more than once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from auth.api_tokens.scopes import LONGEST_LIFE
from auth.denials import N_, Denial, declare
from auth.staff.errors import StaffError
from auth.tokens import InvalidToken
from auth.vouchers.errors import VoucherError


class RevokedToken(InvalidToken):
    """Ours, and taken back; or its row is gone."""


class TakenName(StaffError):
    """There is, or was, a token of this name."""

    reason = declare(
        "taken_token_name",
        HTTPStatus.BAD_REQUEST,
        N_("There is a token of this name, or there was one."),
        N_("Choose another name: the audit log tells programs apart by it."),
        form_field="name",
    )


class UnreadableName(StaffError):
    """A token's name has 2 to 40 small letters, digits, dots, dashes or underscores."""

    reason = declare(
        "unreadable_token_name",
        HTTPStatus.BAD_REQUEST,
        N_("That is not a name for a token."),
        N_("Use 2 to 40 small letters, digits, dots, dashes or underscores."),
        form_field="name",
    )


class NoScope(StaffError):
    """A token without a scope could do nothing."""

    reason = declare(
        "no_scope_chosen",
        HTTPStatus.BAD_REQUEST,
        N_("Nothing was chosen that the token is for."),
        N_("Choose at least one: without it the token can do nothing."),
        form_field="scopes",
    )


class ImpossibleLife(StaffError):
    """A token lives from one day to two years."""

    reason = declare(
        "impossible_token_life",
        HTTPStatus.BAD_REQUEST,
        N_("How many days is the token good?"),
        N_("A number from 1 to %(most)s."),
        form_field="days",
    )

    @property
    def facts(self) -> Mapping[str, object]:
        return {"most": LONGEST_LIFE.days}


class DifferentRequest(VoucherError):
    """The key was used for another request."""

    reason = declare(
        "other_request",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This Idempotency-Key was used for something else."),
        N_("Choose a new key for each order."),
    )


@dataclass(eq=False)
class ForgottenCodes(VoucherError):
    """The request was carried out, too long ago for its codes to be drawn again: batch `batch_id`, at `asked_at`."""

    reason = declare(
        "forgotten_codes",
        HTTPStatus.CONFLICT,
        N_("This order was carried out, and its codes cannot be shown any more."),
        N_("Void batch %(batch_id)s, and order anew with another Idempotency-Key."),
    )
    batch_id: int
    asked_at: datetime


@dataclass(eq=False)
class SentBefore(Denial):
    """The form was carried out before, and led to `place`, an address of ours; empty where it led nowhere."""

    reason = declare(
        "sent_before",
        HTTPStatus.CONFLICT,
        N_("This was done already."),
        N_("It was sent twice and done once. Nothing is lost."),
    )
    place: str
