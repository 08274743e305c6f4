"""Requests for passes that are carried out once, however often they are asked.

A program chooses a key for each request and sends it again when it heard no answer. The first such request claims the
key, in one statement and in the transaction that makes the passes; every other one gets the same passes, codes and
all. No code is kept for that: the codes of a request are drawn from a stream whose key is made of the installation's
secret, the token's secret identifier, the program's key and 256 random bits (`salt`). The rows alone, or the rows with
the installation's secret, draw none of them again, because the token is not stored; a day later the salt is deleted,
and they cannot be drawn at all.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import digest as mac

from sqlalchemy import Executable, select, update
from sqlalchemy.orm import Session, joinedload

from auth.api_tokens.errors import DifferentRequest, ForgottenCodes
from auth.api_tokens.models import ApiToken, PassRequest
from auth.staff.secrets import token_digest
from auth.vouchers import codes
from auth.vouchers.issuing import IssuedVoucher
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Batch, Voucher
from db.statements import Insert, for_either, table_of

REMEMBERED = timedelta(hours=24)
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request: by which token (its row, its secret identifier), under which key, and what is wished."""

    token: ApiToken
    jti: str
    key: str
    wish: str


class CodeGenerator:
    """Draws codes from one key, the same ones each time: HMAC-SHA-256 in counter mode (NIST SP 800-108, 4.1)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, number: int, attempt: int) -> str:
        """The code for the pass of this number; a higher `attempt` where the code was taken."""
        return codes.make(self.choose(f"{number}.{attempt}"))

    def choose(self, label: str) -> Callable[[Sequence[str]], str]:
        """Picks one symbol of a text after the other, as `secrets.choice` does; the same ones for one label."""
        octets = self._octets(label.encode())
        return lambda symbols: _choose(octets, symbols)

    def _octets(self, label: bytes) -> Iterator[int]:
        for counter in itertools.count():
            yield from mac(self._key, label + b"." + str(counter).encode(), "sha256")


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key that is this request's own. `done` belongs in the same transaction, after the passes are made."""

    request_id: int
    draw: Callable[[int, int], str]

    def done(self, db: Session, *, batch_id: int, first: int = 1, count: int = 1) -> None:
        made = update(PassRequest).where(PassRequest.id == self.request_id)
        db.execute(made.values(batch_id=batch_id, first=first, count=count))


def claim(db: Session, asked: IdempotentRequest, *, keys: VoucherKeys, now: datetime) -> KeyClaim | None:
    """Take the key for this request; None where it was taken, and `again` answers.

    On PostgreSQL a concurrent duplicate blocks here until the first has committed or rolled back.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    row = {
        "token_id": asked.token.id,
        "key_digest": token_digest(asked.key),
        "wish_digest": _digest(asked.wish),
        "asked_at": now,
        "salt": salt,
        "first": 1,
        "count": 1,
    }
    request_id: int | None = db.scalar(_CLAIM.on(db), row)
    return None if request_id is None else KeyClaim(request_id, CodeGenerator(_key(asked, keys, salt)))


def again(
    db: Session, asked: IdempotentRequest, *, keys: VoucherKeys, now: datetime
) -> tuple[Batch, tuple[IssuedVoucher, ...]]:
    """The batch and the passes that a request made the first time. Raises `DifferentRequest` or `ForgottenCodes`."""
    request = db.scalars(
        select(PassRequest).where(
            PassRequest.token_id == asked.token.id, PassRequest.key_digest == token_digest(asked.key)
        )
    ).one()
    if request.wish_digest != _digest(asked.wish):
        raise DifferentRequest
    batch = db.scalars(
        select(Batch).where(Batch.id == request.batch_id).options(joinedload(Batch.plan))
    ).one()
    if request.salt is None or now - request.asked_at >= REMEMBERED:
        raise ForgottenCodes(batch.id, request.asked_at)
    draw = CodeGenerator(_key(asked, keys, request.salt))
    made = redraw(db, draw, keys, batch_id=batch.id, first=request.first, count=request.count)
    return batch, tuple(made)


def forget(db: Session, *, before: datetime) -> int:
    """Forget the salts of requests older than `before`, so that their codes cannot be drawn again; how many."""
    old = update(PassRequest).where(PassRequest.asked_at < before, PassRequest.salt.is_not(None))
    return len(db.execute(old.values(salt=None).returning(PassRequest.id)).all())


def redraw(
    db: Session, draw: CodeGenerator, keys: VoucherKeys, *, batch_id: int, first: int, count: int
) -> Iterator[IssuedVoucher]:
    """The codes that `draw` gave for these passes; it must be the same draw, or they are never found."""
    made = select(Voucher.number, Voucher.digest).where(
        Voucher.batch_id == batch_id, Voucher.number >= first, Voucher.number < first + count
    )
    for number, digest in db.execute(made.order_by(Voucher.number)):
        drawn = (draw(number, attempt) for attempt in itertools.count())
        yield IssuedVoucher(
            next(code for code in drawn if keys.digest(code) == digest), f"{batch_id}-{number}"
        )


def _key(asked: IdempotentRequest, keys: VoucherKeys, salt: bytes) -> bytes:
    return keys.draw_key(asked.jti.encode(), asked.key.encode(), salt)


def _choose(octets: Iterator[int], symbols: Sequence[str]) -> str:
    """One symbol, each as likely as any other: what would favour the first ones is thrown away."""
    fair = 256 - 256 % len(symbols)
    return symbols[next(octet for octet in octets if octet < fair) % len(symbols)]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _claim(insert: Insert) -> Executable:
    fresh: Executable = (
        insert(_requests)
        .on_conflict_do_nothing(index_elements=[_requests.c.token_id, _requests.c.key_digest])
        .returning(_requests.c.id)
    )
    return fresh


_requests = table_of(PassRequest)
_CLAIM = for_either(_claim)
