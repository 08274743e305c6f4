"""Results of staff forms: each form is carried out once; sent again, it leads to the result of the first time.

A double press, a page loaded again or a line that broke must neither do a thing twice nor lose what it gave. The
first one claims the form, in one statement and in the transaction of what it does. What is shown only once, such as
the codes of passes, is kept nowhere: it is drawn again from the installation's secret, the token that the browser of
this sign-in alone holds, the form and 256 random bits (`salt`), as for programs (`auth.api_tokens.idempotency`).
It cannot be drawn after the sign-in has ended.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import digest as mac

from sqlalchemy import Executable, delete, select
from sqlalchemy.orm import Session, joinedload

from auth.api_tokens.errors import SentBefore
from auth.api_tokens.idempotency import SALT_BYTES, CodeGenerator, redraw
from auth.staff.models import StaffAnswer
from auth.vouchers.issuing import IssuedVoucher
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Batch
from db.statements import Insert, for_either, table_of


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent: by which sign-in (its row, and the browser's token), and all that it says."""

    session_id: int
    token: str = field(repr=False)
    wish: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeSource:
    """The deterministic draws for one form: the same each time."""

    key: bytes = field(repr=False)

    @property
    def draw(self) -> Callable[[int, int], str]:
        """Draws the codes of passes."""
        return CodeGenerator(self.key)

    def choose(self, label: str) -> Callable[[Sequence[str]], str]:
        """Picks one symbol after the other, as `secrets.choice` does; the same ones for one label."""
        return CodeGenerator(self.key).choose(label)

    @property
    def token(self) -> str:
        """A token of 256 bits, as `auth.staff.secrets.new_token` makes."""
        return base64.urlsafe_b64encode(mac(self.key, b"token", "sha256")).decode().rstrip("=")


def claim(db: Session, sent: Sent, *, now: datetime, place: str = "") -> StaffAnswer:
    """Take the form for what is done in this transaction; it leads to `place`. Raises `SentBefore` the second time.

    On PostgreSQL a concurrent duplicate blocks here until the first has committed or rolled back.
    """
    digest = _digest(sent)
    row = {
        "session_id": sent.session_id,
        "digest": digest,
        "asked_at": now,
        "place": place,
        "salt": secrets.token_bytes(SALT_BYTES),
        "first": 1,
        "count": 0,
    }
    answer_id: int | None = db.scalar(_CLAIM.on(db), row)
    if answer_id is None:
        raise SentBefore(db.scalars(select(StaffAnswer.place).where(StaffAnswer.digest == digest)).one())
    return db.get_one(StaffAnswer, answer_id)


def find(db: Session, answer_id: int, *, session_id: int) -> StaffAnswer | None:
    """The answer to a form of this sign-in; None for those of others."""
    found = db.get(StaffAnswer, answer_id)
    return found if found is not None and found.session_id == session_id else None


def of_batch(db: Session, batch_id: int, *, session_id: int) -> StaffAnswer | None:
    """The form of this sign-in that made the batch, so that its codes can be shown again."""
    made = select(StaffAnswer).where(
        StaffAnswer.batch_id == batch_id,
        StaffAnswer.session_id == session_id,
        StaffAnswer.replaces.is_(None),
    )
    return db.scalars(made.limit(1)).first()


def source(answer: StaffAnswer, *, token: str, keys: VoucherKeys) -> CodeSource:
    """The draws for a form, keyed with the token of the browser that sent it."""
    return CodeSource(keys.draw_key(b"staff", token.encode(), answer.digest.encode(), answer.salt))


def passes_of(
    db: Session, answer: StaffAnswer, *, token: str, keys: VoucherKeys
) -> tuple[Batch, tuple[IssuedVoucher, ...]]:
    """The batch and the passes that a form made, codes and all, in the order of their numbers."""
    batch = db.scalars(select(Batch).where(Batch.id == answer.batch_id).options(joinedload(Batch.plan))).one()
    draw = CodeGenerator(source(answer, token=token, keys=keys).key)
    return batch, tuple(redraw(db, draw, keys, batch_id=batch.id, first=answer.first, count=answer.count))


def forget(db: Session, *, before: datetime) -> int:
    """Drop the answers older than `before`, when no form of those days is taken any more; how many."""
    old = delete(StaffAnswer).where(StaffAnswer.asked_at < before).returning(StaffAnswer.id)
    return len(db.execute(old).all())


def _digest(sent: Sent) -> str:
    return hashlib.sha256(f"{sent.session_id}:{sent.wish}".encode()).hexdigest()


def _claim(insert: Insert) -> Executable:
    fresh: Executable = (
        insert(_answers).on_conflict_do_nothing(index_elements=[_answers.c.digest]).returning(_answers.c.id)
    )
    return fresh


_answers = table_of(StaffAnswer)
_CLAIM = for_either(_claim)
