"""The embedded directory: a table of patrons of our own, for a town whose library has no LDAP.

PINs are kept as argon2id hashes (RFC 9106), in the smaller of the two forms that OWASP names: 19 MiB, two
passes, one lane. That takes about 20 ms of one core.
"""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from datetime import date

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import Boolean, Date, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from auth.bulkhead import Bulkhead, FullBulkhead
from auth.errors import BlockedCard, DirectoryUnavailable, ExpiredCard, WrongCredentials
from auth.patrons.directory import DirectoryEntry, Patron
from auth.patrons.login_names import check_login, check_secret, compose, normalise_login
from config.findings import ConfigFinding, fault, good, warning
from db.base import Base, Key
from db.engine import SessionMaker, reading
from sites.models import Network, SigninMethod

NO_CARDS = "there are no cards yet: flask --app wsgi patrons import FILE.csv"
HASHER = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


class PatronRecord(Base):
    """One card of the local patron table. `card` is in the form that `normalise_login` gives."""

    __tablename__ = "patrons"

    id: Mapped[Key]
    card: Mapped[str] = mapped_column(String(256), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(255))
    category: Mapped[str | None] = mapped_column(String(64))
    # The last day of validity.
    expires_on: Mapped[date | None] = mapped_column(Date)
    blocked: Mapped[bool] = mapped_column(Boolean, default=False)


class EmbeddedDirectory:
    """The `Directory` over that table. One for each process.

    One hash at a time, and a short queue: hashing must take neither every core nor every thread from the pages
    of those who are already on.
    """

    def __init__(self, make_session: SessionMaker, *, queue: int = 8, wait_seconds: float = 3.0) -> None:
        self._make_session = make_session
        # A hash always ends, so a long holder is a loaded machine and no reason to close the queue.
        self._hashing = Bulkhead(slots=1, queue=queue, wait_seconds=wait_seconds, stall_seconds=60)
        # An unknown card costs the same work as a known one.
        self._nobody = hash_of_no_secret()

    def find(self, login: str) -> DirectoryEntry:
        started = time.monotonic()
        card = normalise_login(check_login(login))
        with reading(self._make_session) as db:
            record = db.scalar(select(PatronRecord).where(PatronRecord.card == card))
        spent = time.monotonic() - started
        if record is None:
            return DirectoryEntry(card, None, self._nobody, spent_seconds=spent)
        return DirectoryEntry(card, record.card, record.secret_hash, _attributes(record), spent)

    def prove(self, found: DirectoryEntry, secret: str, *, today: date) -> Patron:
        check_secret(secret)
        try:
            with self._hashing.slot():
                is_right = opens(found.verifier, secret)
        except FullBulkhead:
            raise DirectoryUnavailable("too many sign-ins at once", retry_after_seconds=2) from None
        if not is_right:
            raise WrongCredentials
        return self.look_at(found, today=today)

    def look_at(self, found: DirectoryEntry, *, today: date) -> Patron:
        if found.stable_id is None:
            raise WrongCredentials
        patron = _patron(found, found.stable_id)
        if patron.blocked:
            raise BlockedCard
        if patron.expires_on is not None and patron.expires_on < today:
            raise ExpiredCard(patron.expires_on)
        return patron


def check_patrons(db: Session, *, login: str | None = None) -> list[ConfigFinding]:
    """Findings about the table of cards for an operator; with `login`, about one card."""
    count = db.scalar(select(func.count()).select_from(PatronRecord)) or 0
    if count == 0:
        networks = list(db.scalars(select(Network)))
        asks_for_cards = not networks or any(one.allows(SigninMethod.PATRON) for one in networks)
        return [(fault if asks_for_cards else warning)(NO_CARDS)]
    found = [good(f"{count} cards in the portal's own table.")]
    if login is not None:
        record = db.scalar(select(PatronRecord).where(PatronRecord.card == normalise_login(login)))
        if record is None:
            return [*found, fault("this card is not in the table.")]
        state = "blocked" if record.blocked else "not blocked"
        found.append(good(f"this card is in the table: ends {record.expires_on or 'never'}, {state}."))
    return found


def hash_secret(secret: str) -> str:
    return HASHER.hash(compose(secret))


def hash_of_no_secret() -> str:
    """A hash that takes as long to try as those of `hash_secret`, and that no secret is known to open.

    Its salt and tag are random, so nothing is hashed to make it: the start of each process would wait for that.
    """
    salt, tag = (
        b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (HASHER.salt_len, HASHER.hash_len)
    )
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${tag}"


def opens(secret_hash: str, secret: str) -> bool:
    try:
        return HASHER.verify(secret_hash, compose(secret))
    except (VerificationError, InvalidHashError):
        return False


def _attributes(record: PatronRecord) -> dict[str, tuple[bytes, ...]]:
    texts = {
        "category": record.category,
        "expires_on": record.expires_on.isoformat() if record.expires_on else None,
        "blocked": "true" if record.blocked else None,
    }
    return {name: (text.encode(),) for name, text in texts.items() if text}


def _patron(found: DirectoryEntry, stable_id: str) -> Patron:
    def text(name: str) -> str | None:
        values = found.attributes.get(name)
        return values[0].decode() if values else None

    ends = text("expires_on")
    return Patron(
        stable_id=stable_id,
        category=text("category"),
        expires_on=date.fromisoformat(ends) if ends else None,
        blocked=text("blocked") is not None,
    )
