"""The rows of staff: accounts, their recovery codes, and the browsers they are signed in with."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from auth.audit.actor import Actor, staff_member
from auth.staff.roles import Authority, Role, networks_of
from db.base import Base, Json, JsonObject, Key


class StaffState(enum.StrEnum):
    """Derived, never stored: what can be said of an account."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class Staff(Base):
    """One person who works here. Nobody shares an account.

    There is no default password: an account begins with a setup link and has no hash until its owner has chosen a
    password. `totp_seed` alone opens nothing: the second factor's secret is made from it with the installation's key
    (`auth.staff.secrets`). `session_version` goes up whenever every sign-in so far must end.
    """

    __tablename__ = "staff"
    __table_args__ = (Index("ix_staff_issuer_subject", "issuer", "subject", unique=True),)

    id: Mapped[Key]
    # In the form that `auth.patrons.login_names.normalise_login` gives.
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    # Words of Role.
    roles: Mapped[list[str]] = mapped_column(Json)
    # Slugs of the networks that this person works for. All of them is a choice of its own, never an empty list.
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    all_networks: Mapped[bool] = mapped_column(default=False)
    # Where this person hands passes out (a site's slug), so that nobody issues in another library's name.
    home_site: Mapped[str] = mapped_column(String(64), default="")
    # Slugs of the schools that a head or a teacher works for; empty means none.
    sites: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    totp_seed: Mapped[bytes] = mapped_column(LargeBinary(32))
    # The last time step whose code was used: each is good once (RFC 6238 section 5.2).
    totp_step: Mapped[int] = mapped_column(default=0)
    setup_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    setup_until: Mapped[datetime | None]
    # The word that the link needs beside it, where two people hand the account over. Kept as a keyed hash.
    setup_word_digest: Mapped[str | None] = mapped_column(String(64))
    # Who was shown the last link to this account and could have opened it alone; empty for the command line, and where
    # two people handed it over.
    handed_by: Mapped[int | None]
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    # Of an account of the town's directory: who vouches for it, and what never changes about the person there. Empty
    # for a local account. Never a login or an address: those are given to somebody else one day.
    issuer: Mapped[str | None] = mapped_column(String(255))
    subject: Mapped[str | None] = mapped_column(String(255))
    # The groups that the directory named, and when it last did; empty once it no longer vouches for this person.
    groups: Mapped[list[str]] = mapped_column(Json, default=list)
    affirmed_at: Mapped[datetime | None]

    @property
    def authority(self) -> Authority:
        networks = networks_of(self.networks, all_networks=self.all_networks)
        return Authority(frozenset(Role(role) for role in self.roles), networks, frozenset(self.sites))

    @property
    def actor(self) -> Actor:
        """The account as the actor of audit entries."""
        return staff_member(self.login, self.authority.networks)

    @property
    def state(self) -> StaffState:
        if self.disabled_at is not None:
            return StaffState.DISABLED
        return StaffState.ACTIVE if self.password_hash or self.issuer else StaffState.INVITED


class StaffRequest(Base):
    """A role that takes two: asked for by one person, granted or refused by another (`auth.staff.requests`)."""

    __tablename__ = "staff_requests"

    id: Mapped[Key]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    login: Mapped[str] = mapped_column(String(64))
    roles: Mapped[list[str]] = mapped_column(Json)
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    all_networks: Mapped[bool] = mapped_column(default=False)
    sites: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    token_digest: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_by_id: Mapped[int | None]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(80))
    granted: Mapped[bool | None]

    @property
    def authority(self) -> Authority:
        networks = networks_of(self.networks, all_networks=self.all_networks)
        return Authority(frozenset(Role(role) for role in self.roles), networks, frozenset(self.sites))


class GroupGrant(Base):
    """What the members of one of the directory's groups may do here (`auth.staff.group_grants`)."""

    __tablename__ = "staff_group_grants"
    __table_args__ = (UniqueConstraint("issuer", "group"),)

    # The order of the grants, too.
    id: Mapped[Key]
    issuer: Mapped[str] = mapped_column(String(255))
    # As the directory names it: a word of a claim, or a DN.
    group: Mapped[str] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(Json)
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    all_networks: Mapped[bool] = mapped_column(default=False)

    @property
    def authority(self) -> Authority:
        networks = networks_of(self.networks, all_networks=self.all_networks)
        return Authority(frozenset(Role(role) for role in self.roles), networks)


class RecoveryCode(Base):
    """One way in without the second factor's device, once. Kept as a keyed hash."""

    __tablename__ = "staff_recovery_codes"

    id: Mapped[Key]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A passkey of an account: its public key, and how often it says that it was used (`auth.staff.passkeys`)."""

    __tablename__ = "staff_passkeys"

    id: Mapped[Key]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    # The credential's id as browsers name it, in base64url; at most 1023 octets (WebAuthn section 4).
    credential: Mapped[str] = mapped_column(String(1364), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    # What its owner calls it.
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """A browser that somebody is signed in with. The browser holds a token, the row its digest."""

    __tablename__ = "staff_sessions"

    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    # What the browser's session holds: who, since when confirmed, what was chosen last.
    content: Mapped[JsonObject]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    # Of a sign-in at an OpenID provider: its session's name there, the encrypted token that asks whether it goes on
    # (RFC 6749 section 6), and when that was asked.
    provider_session: Mapped[str | None] = mapped_column(String(255), index=True)
    refresh_token: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None]


class StaffAnswer(Base):
    """The result of a staff form, so that the same form sent again leads to the same place and does nothing twice.

    With `salt`, the installation's secret and the token of the browser that sent it, what the form showed once is drawn
    again (`auth.api_tokens.form_results`); it goes with the sign-in.
    """

    __tablename__ = "staff_answers"

    id: Mapped[Key]
    session_id: Mapped[int] = mapped_column(ForeignKey("staff_sessions.id", ondelete="CASCADE"), index=True)
    # Of the form and all that it said.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    # The path of ours that it led to.
    place: Mapped[str] = mapped_column(String(300), default="")
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    # The passes it made: `count` of this batch, from number `first` on; and the mark of the one that died for it.
    batch_id: Mapped[int | None] = mapped_column(
        ForeignKey("voucher_batches.id", ondelete="CASCADE"), index=True
    )
    first: Mapped[int] = mapped_column(default=1)
    count: Mapped[int] = mapped_column(default=0)
    replaces: Mapped[str | None] = mapped_column(String(40))
