"""Passkeys of staff (WebAuthn level 3): a key on a phone or a stick that asks for its owner's finger, face or PIN.

It is both factors at once: whoever has one types neither login, password nor code. A passkey is bound to one host by
the browser, so that a page with another name cannot use it. What is kept of it is a public key: the rows open nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import PASSKEY_ADDED, PASSKEY_COPIED, PASSKEY_REMOVED, AuditAction, ObjectKind
from auth.audit.actor import Actor
from auth.staff.accounts import refuse_directory
from auth.staff.errors import SpentPasskeys, TakenPasskey, UnusablePasskey, WrongPasskey
from auth.staff.models import Passkey, Staff, StaffState

# One for each of a person's devices, and some to spare.
MOST = 10
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000
# How long a browser waits for a finger.
PATIENCE_MS = 120_000

# What the passkeys of an account know their owner by.
HandleOf = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom a passkey is for (section 4): `id` is the host, `origin` the address that its pages have in a browser."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """A passkey that was shown, with the finger or PIN of its owner. `is_copy`: its count fell back."""

    passkey: Passkey
    staff: Staff
    is_copy: bool


def relying_party(url: str, *, name: str) -> RelyingParty | None:
    """The one of the pages at `url`; None at a bare address, since browsers bind passkeys to names (section 5.1.3)."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, url, name)
    return None


def prepare() -> None:
    """Import what passkeys need, where a process has the time: 0.1 s that no start of a worker should pay."""
    import webauthn.registration.verify_registration_response  # noqa: F401


def creation_options(
    db: Session, person: Staff, party: RelyingParty, *, challenge: bytes, handle: bytes
) -> str:
    """What the browser is asked for to make one, as JSON (section 5.4): findable without a login, and with user
    verification. `handle` is what the passkey knows its owner by, and names nobody."""
    # See `prepare`.
    from webauthn import base64url_to_bytes, generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    known = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in of(db, person)]
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=handle,
        user_name=person.login,
        user_display_name=person.name,
        challenge=challenge,
        timeout=PATIENCE_MS,
        exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return options_to_json(options)


def request_options(party: RelyingParty, *, challenge: bytes, credentials: Iterable[str] = ()) -> str:
    """What the browser is asked for to show one, as JSON (section 5.5): any of this host's, or one of these."""
    from webauthn import base64url_to_bytes, generate_authentication_options, options_to_json
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=PATIENCE_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in credentials],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add(
    db: Session,
    person: Staff,
    answer: str,
    *,
    party: RelyingParty,
    challenge: bytes,
    name: str,
    actor: Actor,
    now: datetime,
) -> Passkey:
    """Keep the passkey that a browser made. Raises `UnusablePasskey`, `TakenPasskey`, `SpentPasskeys`, and
    `DirectoryDecides`: a passkey here would go past the directory."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    refuse_directory(person)
    if len(of(db, person)) >= MOST:
        raise SpentPasskeys
    _check_size(answer)
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception as error:
        # Structures of a stranger's make: the library raises whatever its parsers raise.
        raise UnusablePasskey from error
    passkey = Passkey(
        staff_id=person.id,
        credential=bytes_to_base64url(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=" ".join(name.split())[:LONGEST_NAME],
        created_at=now,
    )
    try:
        with db.begin_nested():
            db.add(passkey)
    except IntegrityError as error:
        raise TakenPasskey from error
    _append(db, PASSKEY_ADDED, passkey, actor=actor, now=now)
    return passkey


def use(
    db: Session, answer: str, *, party: RelyingParty, challenge: bytes, handle_of: HandleOf, now: datetime
) -> PasskeyUse:
    """Check what a browser shows (section 7.2), and count its use. Raises `WrongPasskey`.

    A count that does not grow means that there are two of this key (section 6.1.1): it is on record, and the caller
    refuses it once that is committed. Many passkeys count nothing, and always say zero.
    """
    passkey, person = _owner(db, answer, handle_of)
    count = _verified_count(answer, passkey, party, challenge)
    claimed = db.scalar(
        update(Passkey)
        .where(
            Passkey.id == passkey.id,
            Passkey.sign_count < count if count else Passkey.sign_count == 0,
        )
        .values(sign_count=count, used_at=now)
        .returning(Passkey.id)
    )
    if claimed is None:
        _append(db, PASSKEY_COPIED, passkey, actor=person.actor, now=now)
    return PasskeyUse(passkey, person, is_copy=claimed is None)


def remove(db: Session, person: Staff, passkey_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget one of a person's passkeys; nothing is done about one that is none of theirs."""
    passkey = db.get(Passkey, passkey_id)
    if passkey is None or passkey.staff_id != person.id:
        return
    db.delete(passkey)
    db.flush()
    _append(db, PASSKEY_REMOVED, passkey, actor=actor, now=now)


def of(db: Session, person: Staff) -> list[Passkey]:
    """The passkeys of one person, in the order in which they were added."""
    return list(db.scalars(select(Passkey).where(Passkey.staff_id == person.id).order_by(Passkey.id)))


def _owner(db: Session, answer: str, handle_of: HandleOf) -> tuple[Passkey, Staff]:
    """Whose passkey an answer names. Raises `WrongPasskey`."""
    from webauthn.helpers import parse_authentication_credential_json

    _check_size(answer)
    try:
        shown = parse_authentication_credential_json(answer)
    except Exception as error:
        raise WrongPasskey from error
    passkey = db.scalar(select(Passkey).where(Passkey.credential == shown.id))
    person = db.get(Staff, passkey.staff_id) if passkey is not None else None
    if passkey is None or person is None or person.state is not StaffState.ACTIVE or person.issuer:
        raise WrongPasskey
    if shown.response.user_handle not in (None, b"", handle_of(person.id)):
        raise WrongPasskey
    return passkey, person


def _verified_count(answer: str, passkey: Passkey, party: RelyingParty, challenge: bytes) -> int:
    """How often this passkey says that it was used, once its signature was right. Raises `WrongPasskey`."""
    from webauthn import verify_authentication_response

    try:
        shown = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            # Compared by the statement that keeps it, so that two at once are not both the next one.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:
        raise WrongPasskey from error
    return shown.new_sign_count


def _check_size(answer: str) -> None:
    if not 0 < len(answer) <= LONGEST_ANSWER:
        raise WrongPasskey


def _append(db: Session, action: AuditAction, passkey: Passkey, *, actor: Actor, now: datetime) -> None:
    detail = {"passkey": passkey.name}
    log.append(db, action, ObjectKind.STAFF.named(passkey.staff_id), actor=actor, detail=detail, now=now)
