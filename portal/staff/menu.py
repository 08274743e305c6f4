"""The menu of staff's pages: doors in groups. A new page of its own gets its `Door` here, in the group it belongs to.

It is two rows: the groups, and the doors of the group that one is in. Both are links, so that it needs no script;
whoever has few doors sees them all in one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request, url_for

from auth.staff.roles import Action, may
from portal.i18n.translation import say
from portal.staff.login import me

# So many doors fit in one row of a desk's screen beside each other.
ONE_ROW = 7


@dataclass(frozen=True, slots=True)
class Door:
    """One entry of the menu. `key` opens it after "g", where scripts run."""

    endpoint: str
    name: str
    action: Action
    key: str = ""
    # Paths that belong to it too and do not begin with its own.
    also: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_here(self) -> bool:
        """Whether this page, or a page below it, is shown."""
        own = self.url.partition("?")[0]
        return request.path == own or request.path.startswith((f"{own}/", *self.also))


@dataclass(frozen=True, slots=True)
class Group:
    """Doors that belong together, under one name."""

    name: str
    doors: tuple[Door, ...]

    @property
    def url(self) -> str:
        return self.doors[0].url

    @property
    def is_here(self) -> bool:
        return any(door.is_here for door in self.doors)


def groups() -> list[Group]:
    """Where this person may go, in groups of at least one door."""
    person = me()
    if person is None:
        return []
    found = (
        Group(one.name, tuple(door for door in one.doors if may(person.authority, door.action)))
        for one in _every()
    )
    return [one for one in found if one.doors]


def doors() -> list[Door]:
    """Every entry, for keys, help and whoever has but few."""
    return [door for group in groups() for door in group.doors]


def is_one_row(found: Sequence[Group]) -> bool:
    return sum(len(group.doors) for group in found) <= ONE_ROW


def _every() -> tuple[Group, ...]:
    return (
        Group(
            say("Overview"),
            (Door("staff.overview", say("Overview"), Action.OWN_ACCOUNT, key="o"),),
        ),
        Group(
            say("Passes"),
            (
                Door("staff.desk", say("Desk"), Action.ISSUE, key="d"),
                Door("staff.batches", say("Batches"), Action.BOOKS, key="b", also=("/staff/passes/",)),
            ),
        ),
        Group(
            say("People"),
            (
                Door("staff.sessions", say("Log"), Action.SESSIONS, key="l", also=("/staff/incidents/",)),
                Door("staff.blocks", say("Blocks"), Action.BLOCKS, key="x"),
                Door("staff.patrons", say("Cards"), Action.PATRONS, key="v"),
                Door("staff.limits", say("Limits"), Action.LIMITS, key="i"),
            ),
        ),
        Group(
            say("Installation"),
            (
                Door("staff.networks_list", say("Networks"), Action.NETWORKS, key="n"),
                Door("staff.sites_list", say("Places"), Action.SITES, key="s"),
                Door(
                    "staff.gateways",
                    say("Gateways"),
                    Action.GATEWAYS,
                    key="g",
                    also=("/staff/records/gateways",),
                ),
                Door("staff.devices_list", say("Fixed devices"), Action.DEVICES, key="f"),
                Door("staff.plans_list", say("Kinds of pass"), Action.PLANS, key="m"),
                Door("staff.printers_list", say("Printers"), Action.PRINTERS),
                Door("staff.alerts", say("Alerts"), Action.ALERTS, key="w"),
                Door("staff.classes", say("Classes"), Action.CLASS_HOURS, key="e"),
            ),
        ),
        Group(
            say("Messages"),
            (
                Door("staff.campaigns", say("Campaigns"), Action.ADS, key="c", also=("/staff/new-campaign",)),
                Door("staff.calendar", say("Calendar"), Action.ADS),
                Door("staff.payers", say("Advertisers"), Action.ADS),
                Door("staff.elections", say("Elections"), Action.ADS),
                Door("staff.crisis", say("Crisis"), Action.ADS),
            ),
        ),
        Group(
            say("Figures"),
            (
                Door("staff.reports", say("Reports"), Action.REPORT, key="r"),
                Door("staff.experiment_list", say("Experiments"), Action.EXPERIMENT, key="y"),
            ),
        ),
        Group(
            say("Data protection"),
            (
                Door("staff.retention", say("Retention"), Action.RETENTION, key="k"),
                Door("staff.holds", say("Legal holds"), Action.RETENTION, key="h"),
                Door("staff.requisitions", say("Requisitions"), Action.REQUISITIONS, key="q"),
                Door("staff.trail", say("Audit log"), Action.TRAIL, key="a"),
            ),
        ),
        Group(
            say("Accounts"),
            (
                Door("staff.people", say("Accounts"), Action.ACCOUNTS, key="p"),
                Door("staff.two_person", say("Two-person changes"), Action.SECOND),
                Door("staff.tokens", say("Tokens"), Action.TOKENS, key="t"),
            ),
        ),
    )
