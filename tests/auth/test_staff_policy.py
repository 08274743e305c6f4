"""What each role may do, written out once more: a slip in the policy disagrees with this table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth.staff.roles import Action, Authority, Role, idle_limit, may, may_appoint, switches

DESK = {Action.OWN_ACCOUNT, Action.ISSUE, Action.REPLACE, Action.REVOKE, Action.BOOKS}
TOWN = {
    *(Action.NETWORKS, Action.SITES, Action.GATEWAYS, Action.BLOCKS, Action.LIMITS),
    *(Action.ALERTS, Action.DEVICES, Action.CLASSES, Action.CLASS_HOURS),
}
TABLE = {
    Role.DESK: DESK,
    Role.NETWORK: {
        Action.OWN_ACCOUNT,
        Action.SESSIONS,
        Action.UNMASK_DEVICES,
        Action.DISCONNECT,
        *TOWN,
    },
    Role.SCHOOL: {Action.OWN_ACCOUNT, Action.CLASS_HOURS},
    Role.ADS: {Action.OWN_ACCOUNT, Action.ADS},
    Role.REPORT: {Action.OWN_ACCOUNT, Action.REPORT, Action.EXPERIMENT},
    Role.PRIVACY: {
        Action.OWN_ACCOUNT,
        Action.SESSIONS,
        Action.UNMASK_DEVICES,
        Action.UNMASK_PERSONS,
        Action.RETENTION,
        Action.REQUISITIONS,
        Action.TRAIL,
        Action.SECOND,
    },
    Role.ADMIN: {
        *(Action.OWN_ACCOUNT, Action.ISSUE, Action.REPLACE, Action.REVOKE, Action.BOOKS),
        *(Action.ADS, Action.REPORT, Action.EXPERIMENT, Action.ACCOUNTS, Action.TOKENS, Action.TRAIL),
        *(Action.PLANS, Action.PATRONS, Action.PRINTERS, Action.SECOND),
        *TOWN,
    },
}


def of(*roles: Role, networks: tuple[str, ...] = ()) -> Authority:
    return Authority(frozenset(roles), frozenset(networks))


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_it_is_for_and_nothing_else(role: Role) -> None:
    assert {action for action in Action if may(of(role), action)} == TABLE[role]


def test_roles_add_up() -> None:
    both = of(Role.DESK, Role.NETWORK)
    assert may(both, Action.ISSUE) and may(both, Action.SESSIONS) and not may(both, Action.ACCOUNTS)


def test_whoever_has_networks_has_no_others() -> None:
    clerk = of(Role.DESK, networks=("bibliotheques",))
    assert may(clerk, Action.ISSUE, "bibliotheques")
    assert not may(clerk, Action.ISSUE, "wifilib")
    assert may(of(Role.DESK), Action.ISSUE, "wifilib")


def test_nobody_hands_out_more_than_they_have() -> None:
    everywhere, here = of(Role.ADMIN), of(Role.ADMIN, networks=("a", "b"))
    assert may_appoint(everywhere, of(Role.ADMIN))
    assert may_appoint(here, of(Role.ADMIN, networks=("a",)))
    assert not may_appoint(here, of(Role.DESK))
    assert not may_appoint(here, of(Role.DESK, networks=("a", "c")))
    assert not may_appoint(of(Role.DESK), of(Role.DESK, networks=("a",)))


def test_a_desk_and_a_teacher_may_be_idle_for_a_day_and_nobody_else() -> None:
    assert idle_limit(of(Role.DESK)) == idle_limit(of(Role.SCHOOL)) == timedelta(hours=8)
    for role in set(Role) - {Role.DESK, Role.SCHOOL}:
        assert idle_limit(of(role)) == timedelta(hours=1)
        assert idle_limit(of(role, Role.DESK)) == timedelta(hours=1)


SCHOOLS = ("ecole-bregille", "ecole-helvetie")


def test_a_head_switches_classes_at_the_own_schools_alone() -> None:
    head = Authority(frozenset({Role.SCHOOL}), frozenset(), frozenset({"ecole-bregille", "ecole-viotte"}))
    assert switches(head, "ecoles", SCHOOLS) == {"ecole-bregille"}
    assert not switches(of(Role.SCHOOL), "ecoles", SCHOOLS)
    assert not switches(of(Role.DESK, Role.REPORT), "ecoles", SCHOOLS)


def test_the_network_team_switches_classes_of_its_networks_everywhere() -> None:
    assert switches(of(Role.NETWORK), "ecoles", SCHOOLS) == set(SCHOOLS)
    assert not switches(of(Role.NETWORK, networks=("wifilib",)), "ecoles", SCHOOLS)
