"""The rows of programs: the tokens they come with, and the requests that must not be carried out twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from auth.api_tokens.scopes import Scope
from auth.audit.actor import Actor, api_token
from auth.staff.roles import Authority, networks_of
from db.base import Base, Json, Key


class ApiToken(Base):
    """One program that may ask for passes. The program holds the token, the row a digest of its identifier (jti).

    The name is taken for ever, so that "token:NAME" in the audit log is one program whenever it is read.
    """

    __tablename__ = "api_tokens"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(40), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    # Words of Scope.
    scopes: Mapped[list[str]] = mapped_column(Json)
    # Slugs; all of them is a choice of its own, as with staff.
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    all_networks: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # To the minute.
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def actor(self) -> Actor:
        """The token's name in the audit log and in batches."""
        return api_token(self.name, self.authority.networks)

    @property
    def authority(self) -> Authority:
        """Its networks, for finding what it may touch. It has no role: what it may do is in its scopes."""
        return Authority(frozenset(), networks_of(self.networks, all_networks=self.all_networks))

    def allows(self, scope: Scope) -> bool:
        return scope.value in self.scopes


class PassRequest(Base):
    """A request that made passes, under the key that its program chose: asked again, it makes no others.

    With `salt`, the installation's secret, the program's token and its key the same codes are drawn again; the first
    of these is forgotten after a day (`auth.api_tokens.idempotency`).
    """

    __tablename__ = "pass_requests"
    __table_args__ = (UniqueConstraint("token_id", "key_digest"),)

    id: Mapped[Key]
    token_id: Mapped[int] = mapped_column(ForeignKey("api_tokens.id"))
    key_digest: Mapped[str] = mapped_column(String(64))
    # Of what was asked for: the same key with another wish is a mistake.
    wish_digest: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    # The passes it made: `count` of this batch, from number `first` on. Written before the transaction ends.
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_batches.id", ondelete="CASCADE"))
    first: Mapped[int] = mapped_column(default=1)
    count: Mapped[int] = mapped_column(default=1)
