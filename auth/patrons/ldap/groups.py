"""Whether a person is in the group that a network wants: named by DN or by login, directly or through other groups.

Three ways of naming a member are asked for in one filter: `member` and `uniqueMember` by DN (RFC 4519 sections 2.17
and 2.40), `memberUid` by login and `gidNumber` for a person's own group (RFC 2307 section 3). A group that is itself a
member is followed upwards from the person, so that a group of ten thousand people is never read; Active Directory
walks that chain itself, when it is asked with its matching rule.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auth.patrons.ldap import requests
from config import NestedGroups
from config.names import fold_name, split_name

log = logging.getLogger(__name__)

# What a person's entry has to tell about groups that do not name its DN.
ATTRIBUTES = ("uid", "gidNumber")
DEPTH = 8
MOST_GROUPS = 200
_IN_CHAIN = "1.2.840.113556.1.4.1941"
_ACTIVE_DIRECTORY = b"1.2.840.113556.1.4.800"


@dataclass(frozen=True, slots=True)
class Membership:
    """The question: is this entry in `group`? `base` is where the groups stand through which it may be."""

    group: str
    base: str
    nested: NestedGroups

    def holds(
        self,
        wire: requests.LdapConnection,
        dn: str,
        attributes: Mapping[str, tuple[bytes, ...]],
        *,
        deadline: float,
    ) -> bool:
        """Ask on `wire`. An absent group has no members, and the log says so. Raises `BrokenLine`."""
        named = _named(dn, attributes)
        if self._has(wire, named, deadline):
            return True
        match self._way(wire, deadline):
            case NestedGroups.CHAIN:
                chained = f"(member:{_IN_CHAIN}:={requests.escape(dn)})"
                return self._has(wire, chained, deadline)
            case NestedGroups.WALK:
                return self._walk(wire, named, deadline)
        return False

    def _has(self, wire: requests.LdapConnection, text: str, deadline: float) -> bool:
        seconds = deadline - time.monotonic()
        answer = requests.search(
            wire, self.group, text, attributes=("1.1",), seconds=seconds, scope=requests.BASE
        )
        if answer.code == requests.NO_SUCH_OBJECT:
            log.warning("AROBASE_LDAP_REQUIRED_GROUP names no group that the service account may read")
        elif answer.code != requests.SUCCESS:
            raise requests.explain_code("the search for the required group", answer.code, answer.description)
        return len(answer.entries) == 1

    def _way(self, wire: requests.LdapConnection, deadline: float) -> NestedGroups:
        if self.nested is not NestedGroups.AUTO:
            return self.nested
        return NestedGroups.CHAIN if is_active_directory(wire, deadline=deadline) else NestedGroups.WALK

    def _walk(self, wire: requests.LdapConnection, named: str, deadline: float) -> bool:
        """From the groups that name the person to those that name these, level by level, each group once."""
        seen: set[str] = set()
        for _ in range(DEPTH):
            answer = requests.search(
                wire,
                self.base,
                named,
                attributes=("1.1",),
                seconds=deadline - time.monotonic(),
                most=MOST_GROUPS,
            )
            if answer.code == requests.NO_SUCH_OBJECT:
                log.warning("AROBASE_LDAP_GROUP_BASE_DN names nothing that the service account may read")
                return False
            if answer.code not in (requests.SUCCESS, requests.SIZE_LIMIT_EXCEEDED):
                raise requests.explain_code("the search for groups", answer.code, answer.description)
            groups = {entry.dn.casefold(): entry.dn for entry in answer.entries}
            new = [dn for name, dn in groups.items() if name not in seen]
            if not new:
                return False
            seen |= groups.keys()
            if answer.code == requests.SIZE_LIMIT_EXCEEDED or len(seen) > MOST_GROUPS:
                break
            named = _any_of(new)
            if self._has(wire, named, deadline):
                return True
        log.warning("a person's groups lead to more than %d groups or %d levels: give up", MOST_GROUPS, DEPTH)
        return False


def is_active_directory(wire: requests.LdapConnection, *, deadline: float) -> bool:
    """Whether the server says so of itself ([MS-ADTS] section 3.1.1.3.4.3, LDAP_CAP_ACTIVE_DIRECTORY_OID)."""
    name = "supportedCapabilities"
    seconds = deadline - time.monotonic()
    answer = requests.search(
        wire, "", "(objectClass=*)", attributes=(name,), seconds=seconds, scope=requests.BASE
    )
    return any(_ACTIVE_DIRECTORY in entry.attributes.get(name.lower(), ()) for entry in answer.entries)


def common_base(group: str, people: str) -> str:
    """Where groups stand, unless the operator says so: the last names that `group` and `people` have in common, or the
    parent of `group`.
    """
    names = split_name(group)
    shared = 0
    for own, other in zip(reversed(names), reversed(split_name(people)), strict=False):
        if fold_name(own) != fold_name(other):
            break
        shared += 1
    return ",".join(names[-shared:] if shared else names[1:])


def _named(dn: str, attributes: Mapping[str, tuple[bytes, ...]]) -> str:
    """The filter of every group that names this person directly."""
    parts = [f"(member={requests.escape(dn)})", f"(uniqueMember={requests.escape(dn)})"]
    for value in attributes.get("uid", ()):
        parts.append(f"(memberUid={requests.escape(value.decode(errors='replace'))})")
    for value in attributes.get("gidnumber", ()):
        number = requests.escape(value.decode(errors="replace"))
        parts.append(f"(&(objectClass=posixGroup)(gidNumber={number}))")
    return f"(|{''.join(parts)})"


def _any_of(groups: Iterable[str]) -> str:
    names = [requests.escape(dn) for dn in groups]
    return f"(|{''.join(f'(member={name})(uniqueMember={name})' for name in names)})"
