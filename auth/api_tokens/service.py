"""Tokens of programs: made once, found again by each request, revoked at once for all workers.

A token is a JWT of ours (`auth.tokens`) that says nothing but which row it belongs to and until when; what it may do
stands in the row.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.api_tokens.errors import ImpossibleLife, NoScope, RevokedToken, TakenName, UnreadableName
from auth.api_tokens.models import ApiToken
from auth.api_tokens.scopes import LONGEST_LIFE, SHORTEST_LIFE, Scope, may_hand_out
from auth.audit import log
from auth.audit.actions import TOKEN_MADE, TOKEN_REVOKED, AuditAction, ObjectKind
from auth.audit.actor import Actor
from auth.staff.errors import NoReach, UnknownNetworks
from auth.staff.roles import ALL_NETWORKS, NO_NETWORK, Authority
from auth.staff.secrets import token_digest
from auth.tokens import InvalidToken, Tokens
from sites.models import Network

PURPOSE = "arobase api"
# `used_at` is written at most this often.
USED_EVERY = timedelta(minutes=1)
LONGEST_TOKEN = 2_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The token asked for: its name, what for, for which networks, how long."""

    name: str
    scopes: frozenset[Scope]
    networks: frozenset[str]
    life: timedelta


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token. `token` is shown once; the row keeps a digest of its identifier."""

    row: ApiToken
    token: str


def new_jti() -> str:
    """192 random bits: without the token, neither its row nor the codes of its requests can be found."""
    return secrets.token_urlsafe(24)


def make(
    db: Session,
    *,
    tokens: Tokens,
    issuer: str,
    wish: TokenRequest,
    actor: Actor,
    now: datetime,
    make_jti: Callable[[], str] = new_jti,
) -> MadeToken:
    """Make a token. Raises `UnreadableName`, `NoScope`, `ImpossibleLife`, `NoReach`, `UnknownNetworks`, `TakenName`."""
    _check(db, wish)
    jti = make_jti()
    row = ApiToken(
        name=wish.name,
        digest=token_digest(jti),
        scopes=sorted(wish.scopes),
        networks=sorted(wish.networks),
        all_networks=wish.networks == ALL_NETWORKS,
        created_by=actor.name[:80],
        created_at=now,
        expires_at=now + wish.life,
    )
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError as error:
        raise TakenName from error
    _append(db, TOKEN_MADE, row, actor=actor, now=now)
    return MadeToken(row, _seal(row, jti, tokens=tokens, issuer=issuer))


def again(row: ApiToken, jti: str, *, tokens: Tokens, issuer: str) -> str | None:
    """The token of this row as it was made; None where the identifier is not its own."""
    return _seal(row, jti, tokens=tokens, issuer=issuer) if row.digest == token_digest(jti) else None


def find(db: Session, token: str, *, tokens: Tokens, issuer: str, now: datetime) -> tuple[ApiToken, str]:
    """The row of a token and its secret identifier.

    Raises `InvalidToken`, `ExpiredToken` or `RevokedToken`; the database is asked only about tokens of our own.
    """
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken("too long")
    jti = str(tokens.verify(PURPOSE, token, now=now, issuer=issuer)["jti"])
    row = db.scalar(
        select(ApiToken).where(ApiToken.digest == token_digest(jti), ApiToken.revoked_at.is_(None))
    )
    if row is None:
        raise RevokedToken
    return row, jti


def _seal(row: ApiToken, jti: str, *, tokens: Tokens, issuer: str) -> str:
    life = row.expires_at - row.created_at
    return tokens.sign(PURPOSE, {}, now=row.created_at, life=life, issuer=issuer, jti=jti)


def revoke(db: Session, row: ApiToken, *, actor: Actor, now: datetime) -> bool:
    """Take a token back; False where it was so."""
    statement = (
        update(ApiToken)
        .where(ApiToken.id == row.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.id)
    )
    if db.scalar(statement) is None:
        return False
    _append(db, TOKEN_REVOKED, row, actor=actor, now=now)
    return True


def every(db: Session, *, visible_to: Authority | None = None) -> list[ApiToken]:
    """All tokens, those in force first, then by name; for staff of some networks, those they may hand out."""
    found = db.scalars(select(ApiToken).order_by(ApiToken.revoked_at.is_not(None), ApiToken.name))
    return [one for one in found if visible_to is None or may_hand_out(visible_to, one.authority.networks)]


def by_name(db: Session, name: str) -> ApiToken | None:
    return db.scalar(select(ApiToken).where(ApiToken.name == name))


def see(db: Session, row: ApiToken, *, now: datetime) -> None:
    """Remember that a token was used, to the minute."""
    if row.used_at is None or now - row.used_at >= USED_EVERY:
        db.execute(update(ApiToken).where(ApiToken.id == row.id).values(used_at=now))


def _check(db: Session, wish: TokenRequest) -> None:
    if not _NAME.fullmatch(wish.name):
        raise UnreadableName
    if not wish.scopes:
        raise NoScope
    if not SHORTEST_LIFE <= wish.life <= LONGEST_LIFE:
        raise ImpossibleLife
    if wish.networks == NO_NETWORK:
        raise NoReach
    known = set(db.scalars(select(Network.slug).where(Network.slug.in_(wish.networks))))
    if missing := sorted(wish.networks - known):
        raise UnknownNetworks(missing)


def _append(db: Session, action: AuditAction, row: ApiToken, *, actor: Actor, now: datetime) -> None:
    detail: dict[str, str | list[str]] = {
        "scopes": row.scopes,
        "networks": row.networks,
        "created_by": row.created_by,
        "expires": row.expires_at.isoformat(timespec="seconds"),
    }
    log.append(db, action, ObjectKind.TOKEN.named(row.name), actor=actor, detail=detail, now=now)
