"""Authorization of staff: one function that every route asks. Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta


class Role(enum.StrEnum):
    DESK = "desk"
    ADMIN = "admin"
    NETWORK = "network"
    ADS = "ads"
    REPORT = "report"
    PRIVACY = "privacy"
    # The head of a school, or a teacher.
    SCHOOL = "school"


class Action(enum.StrEnum):
    """An action that the policy allows or denies to a role."""

    OWN_ACCOUNT = "own_account"
    ISSUE = "issue"
    REPLACE = "replace"
    REVOKE = "revoke"
    BOOKS = "books"
    # Consult the log, masked; what is under the masks is asked for by class of data.
    SESSIONS = "sessions"
    UNMASK_DEVICES = "unmask_devices"
    UNMASK_PERSONS = "unmask_persons"
    DISCONNECT = "disconnect"
    GATEWAYS = "gateways"
    # What an installation is made of.
    NETWORKS = "networks"
    SITES = "sites"
    PLANS = "plans"
    # Receipt printers of desks.
    PRINTERS = "printers"
    PATRONS = "patrons"
    # Keep a device or a person out.
    BLOCKS = "blocks"
    # See who has run into a limit, and clear the count.
    LIMITS = "limits"
    # Who is told of troubles.
    ALERTS = "alerts"
    # The register of fixed devices.
    DEVICES = "devices"
    # Groups of tablets, and the hours in which one is on.
    CLASSES = "classes"
    CLASS_HOURS = "class_hours"
    RETENTION = "retention"
    REQUISITIONS = "requisitions"
    ADS = "ads"
    REPORT = "report"
    # The experiment: its aim, its thresholds, its reviews.
    EXPERIMENT = "experiment"
    ACCOUNTS = "accounts"
    # Be the second person where a role takes two.
    SECOND = "second"
    # Of programs.
    TOKENS = "tokens"
    TRAIL = "trail"


# Roles of their own, which no administrator has by being one: to consult the log, and to answer for what it holds.
OF_THE_LOG = frozenset(
    {
        Action.SESSIONS,
        Action.UNMASK_DEVICES,
        Action.UNMASK_PERSONS,
        Action.DISCONNECT,
        Action.RETENTION,
        Action.REQUISITIONS,
    }
)
# What the town's network team builds and looks after.
OF_THE_TOWN = frozenset(
    {
        Action.NETWORKS,
        Action.SITES,
        Action.GATEWAYS,
        Action.BLOCKS,
        Action.LIMITS,
        Action.ALERTS,
        Action.DEVICES,
        Action.CLASSES,
        Action.CLASS_HOURS,
    }
)
ALLOWED: dict[Role, frozenset[Action]] = {
    Role.DESK: frozenset({Action.ISSUE, Action.REPLACE, Action.REVOKE, Action.BOOKS}),
    Role.NETWORK: frozenset({Action.SESSIONS, Action.UNMASK_DEVICES, Action.DISCONNECT}) | OF_THE_TOWN,
    Role.ADS: frozenset({Action.ADS}),
    Role.REPORT: frozenset({Action.REPORT, Action.EXPERIMENT}),
    Role.PRIVACY: frozenset(
        {
            Action.SESSIONS,
            Action.UNMASK_DEVICES,
            Action.UNMASK_PERSONS,
            Action.RETENTION,
            Action.REQUISITIONS,
            Action.TRAIL,
            Action.SECOND,
        }
    ),
    Role.SCHOOL: frozenset({Action.CLASS_HOURS}),
    Role.ADMIN: frozenset(Action) - OF_THE_LOG,
}

# Each of these watches the other: no account has both.
APART = frozenset({Role.ADMIN, Role.PRIVACY})

LONGEST_SIGNIN = timedelta(hours=12)
IDLE_AT_THE_DESK = timedelta(hours=8)
IDLE_ELSEWHERE = timedelta(hours=1)


# All networks, those to come included: always somebody's choice, never what is left when a list is empty.
ALL_NETWORKS: frozenset[str] = frozenset()
# No network at all: a row that names none, and does not say all, covers nothing. No network has an empty slug.
NO_NETWORK = frozenset({""})


@dataclass(frozen=True, slots=True)
class Authority:
    """The roles of an account, and the networks they hold for: slugs, `ALL_NETWORKS` or `NO_NETWORK`.

    `sites` are the schools that its role `SCHOOL` holds for; none named: none.
    """

    roles: frozenset[Role]
    networks: frozenset[str] = NO_NETWORK
    sites: frozenset[str] = frozenset()


def networks_of(slugs: Iterable[str], *, all_networks: bool) -> frozenset[str]:
    """The networks of a row that keeps the choice of all of them beside its list."""
    return ALL_NETWORKS if all_networks else frozenset(slugs) or NO_NETWORK


def may(authority: Authority, action: Action, network: str | None = None) -> bool:
    """Whether `action` is allowed on an object of `network`; None asks about no object in particular."""
    granted = action is Action.OWN_ACCOUNT or any(action in ALLOWED[role] for role in authority.roles)
    return granted and (network is None or covers(authority, network))


def covers(authority: Authority, network: str) -> bool:
    """Whether `network` is one that this person works for."""
    return not authority.networks or network in authority.networks


def switches(authority: Authority, network: str, sites: Collection[str]) -> frozenset[str]:
    """At which of `sites` this person may switch classes of `network` on and off: a head at the own schools, the
    network team at all of them."""
    if not covers(authority, network):
        return frozenset()
    if any(Action.CLASSES in ALLOWED[role] for role in authority.roles):
        return frozenset(sites)
    is_head = any(Action.CLASS_HOURS in ALLOWED[role] for role in authority.roles)
    return authority.sites.intersection(sites) if is_head else frozenset()


def may_appoint(authority: Authority, other: Authority) -> bool:
    """Whether an account with `authority` may grant, change or revoke `other`: never more than its own."""
    if not may(authority, Action.ACCOUNTS):
        return False
    return not authority.networks or (bool(other.networks) and other.networks <= authority.networks)


def takes_two(before: Authority | None, wanted: Authority) -> bool:
    """Whether a change from `before` to `wanted` needs a second person: it gives access to masked fields of the log,
    or to those of more networks."""
    if Role.PRIVACY not in wanted.roles:
        return False
    if before is None or Role.PRIVACY not in before.roles:
        return True
    return bool(before.networks) and not (wanted.networks and wanted.networks <= before.networks)


def may_second(authority: Authority, wanted: Authority) -> bool:
    """Whether an account with `authority` may be the second person for `wanted`: on its own networks only."""
    if not may(authority, Action.SECOND):
        return False
    return not authority.networks or (bool(wanted.networks) and wanted.networks <= authority.networks)


def idle_limit(authority: Authority) -> timedelta:
    """How long a sign-in lasts without a request: a working day at a desk and in a school, much less elsewhere."""
    return IDLE_AT_THE_DESK if authority.roles <= {Role.DESK, Role.SCHOOL} else IDLE_ELSEWHERE
