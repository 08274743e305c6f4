"""What the members of the directory's groups may do here: a table that administrators keep, and one pure rule.

The first grant that fits a person decides; further ones for the very same networks add their roles. So nobody gets a
role for a network that no single grant gives it for.

No group gives the role of data protection: whoever writes down the group's members would be alone in giving it, and it
takes two (`auth.staff.requests`). Nor that of a school, which is bound to its schools one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import GROUP_GRANTED, GROUP_REVOKED, ObjectKind
from auth.audit.actor import Actor
from auth.staff import accounts
from auth.staff.errors import NoGroupName, UngrantableRole
from auth.staff.models import GroupGrant
from auth.staff.roles import Authority, Role

NEVER_BY_GROUP = frozenset({Role.PRIVACY, Role.SCHOOL})
GRANTABLE = tuple(role for role in Role if role not in NEVER_BY_GROUP)
LONGEST_GROUP = 255


def read(db: Session, issuer: str) -> list[GroupGrant]:
    """The grants of this directory's groups, the one that decides first first."""
    return list(db.scalars(select(GroupGrant).where(GroupGrant.issuer == issuer).order_by(GroupGrant.id)))


def draft(db: Session, issuer: str, group: str, authority: Authority) -> GroupGrant:
    """A grant that is not kept yet. Raises `NoGroupName`, `UngrantableRole`, `NoRole`, `NoReach`, `UnknownNetworks`."""
    name = group.strip()
    if not 0 < len(name) <= LONGEST_GROUP or not name.isprintable():
        raise NoGroupName
    if authority.roles & NEVER_BY_GROUP:
        raise UngrantableRole
    accounts.check(db, authority)
    return GroupGrant(
        issuer=issuer,
        group=name,
        roles=sorted(authority.roles),
        networks=sorted(authority.networks),
        all_networks=not authority.networks,
    )


def with_draft(grants: Sequence[GroupGrant], drafted: GroupGrant) -> list[GroupGrant]:
    """The grants as they would be: a group that has one keeps its place."""
    if any(one.group == drafted.group for one in grants):
        return [drafted if one.group == drafted.group else one for one in grants]
    return [*grants, drafted]


def put(db: Session, drafted: GroupGrant, *, actor: Actor, now: datetime) -> None:
    """Keep a grant; one of the same group gives way to it, and leaves it its place."""
    kept = db.scalar(
        select(GroupGrant)
        .where(GroupGrant.issuer == drafted.issuer, GroupGrant.group == drafted.group)
        .with_for_update()
    )
    if kept is None:
        db.add(drafted)
    else:
        kept.roles, kept.networks = drafted.roles, drafted.networks
        kept.all_networks = drafted.all_networks
    db.flush()
    detail = {"roles": drafted.roles, "networks": drafted.networks}
    log.append(db, GROUP_GRANTED, ObjectKind.GROUP.named(drafted.group), actor=actor, detail=detail, now=now)


def remove(db: Session, issuer: str, grant_id: int, *, actor: Actor, now: datetime) -> None:
    """Take everything from a group; nothing is done where it had nothing."""
    gone = delete(GroupGrant).where(GroupGrant.id == grant_id, GroupGrant.issuer == issuer)
    group = db.scalar(gone.returning(GroupGrant.group))
    if group is not None:
        log.append(db, GROUP_REVOKED, ObjectKind.GROUP.named(group), actor=actor, now=now)


def authority_of(grants: Iterable[GroupGrant], groups: Collection[str]) -> Authority | None:
    """What somebody in these groups may do; None: nothing. Pure."""
    found: Authority | None = None
    for grant in grants:
        if grant.group not in groups:
            continue
        given = grant.authority
        if found is None:
            found = given
        elif given.networks == found.networks:
            found = Authority(found.roles | given.roles, found.networks)
    return found
