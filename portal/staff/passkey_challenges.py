"""What a browser is asked to sign with a passkey: the digest of a token of ours, good once and for an hour."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from flask import request
from sqlalchemy.orm import Session

from auth import rate_limits
from auth.staff import passkeys
from auth.staff.errors import CopiedPasskey, SpentSignin, StaleStep, WrongPasskey
from auth.staff.models import Staff
from auth.staff.passkeys import PasskeyUse, RelyingParty
from auth.staff.signin import SecondFactor, of_address, signed_in
from auth.tokens import InvalidToken
from portal.services import services
from portal.staff import trusted_browsers
from portal.staff.login import browser

PURPOSE = "staff passkey"
LIFE = timedelta(hours=1)
# The fields of a form that a passkey fills in, and of the two that come with it.
ANSWER, CHALLENGE = "passkey_answer", "passkey_challenge"


@dataclass(frozen=True, slots=True)
class PasskeyQuestion:
    """For a form: the options of the browser's call as JSON, and the token whose digest is to be signed."""

    options: str
    token: str


def party() -> RelyingParty | None:
    """Whom passkeys of these pages are for; None where they are reached at a bare address."""
    settings = services().settings
    return passkeys.relying_party(settings.own_url, name=f"Arobase {settings.town}")


def ask_for_new(db: Session, person: Staff) -> PasskeyQuestion | None:
    """The question for a new passkey; None where there can be none."""
    if (ours := party()) is None:
        return None
    token, handle = _sign(), services().staff.user_handle(person.id)
    return PasskeyQuestion(
        passkeys.creation_options(db, person, ours, challenge=digest(token), handle=handle), token
    )


def ask_for_any() -> PasskeyQuestion | None:
    """The question for a passkey of anybody's; None where there can be none."""
    if (ours := party()) is None:
        return None
    token = _sign()
    return PasskeyQuestion(passkeys.request_options(ours, challenge=digest(token)), token)


def ask_for_own(db: Session, person: Staff) -> PasskeyQuestion | None:
    """The question for a passkey of this person; None where they have none."""
    known = [one.credential for one in passkeys.of(db, person)]
    if (ours := party()) is None or not known:
        return None
    token = _sign()
    return PasskeyQuestion(passkeys.request_options(ours, challenge=digest(token), credentials=known), token)


def claim(db: Session) -> tuple[RelyingParty, bytes]:
    """For whom and over what this request's answer has to be, once. Raises `StaleStep`, `SpentSignin`."""
    service, ours = services(), party()
    try:
        claims = service.tokens.verify(PURPOSE, request.form.get(CHALLENGE, ""), now=service.clock())
    except InvalidToken as error:
        raise StaleStep from error
    if ours is None or claims["for"] != browser().binding:
        raise StaleStep
    if not rate_limits.use_once(db, f"passkey:{claims['jti']}", window=LIFE, now=service.clock()):
        raise SpentSignin
    return ours, digest(request.form[CHALLENGE])


def is_answered() -> bool:
    """Whether the form of this request holds what a passkey signed."""
    return bool(request.form.get(ANSWER))


def prove() -> Staff:
    """Whose passkey this request shows, and put on record that they are signed in.

    Raises `TooManyAttempts`, `StaleStep`, `SpentSignin`, `WrongPasskey`, `CopiedPasskey`.
    """
    service = services()
    now, address = service.clock(), of_address(trusted_browsers.asker(""))
    with service.make_session.begin() as db:
        rate_limits.check(db, [address], now=now)
    try:
        with service.make_session.begin() as db:
            shown = _prove(db)
            if not shown.is_copy:
                issuer = service.settings.staff_issuer
                signed_in(db, shown.staff, SecondFactor(by="passkey"), issuer=issuer, now=now)
    except WrongPasskey:
        with service.make_session.begin() as db:
            rate_limits.count(db, address, now=now)
        raise
    return _whole(shown)


def prove_again(staff_id: int) -> None:
    """Make sure that a passkey of this account is shown. Raises `StaleStep`, `SpentSignin`, `WrongPasskey`,
    `CopiedPasskey`."""
    with services().make_session.begin() as db:
        shown = _prove(db)
    if _whole(shown).id != staff_id:
        raise WrongPasskey


def _prove(db: Session) -> PasskeyUse:
    ours, challenge = claim(db)
    return passkeys.use(
        db,
        request.form.get(ANSWER, ""),
        party=ours,
        challenge=challenge,
        handle_of=services().staff.user_handle,
        now=services().clock(),
    )


def _whole(shown: PasskeyUse) -> Staff:
    """Raises `CopiedPasskey`, once that is on record."""
    if shown.is_copy:
        raise CopiedPasskey
    return shown.staff


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _sign() -> str:
    service = services()
    return service.tokens.sign(PURPOSE, {"for": browser().binding}, now=service.clock(), life=LIFE)
