"""Checks of the settings against the live directory, run by an operator, never for a guest's request.

Everything is asked of each server apart, the first as the last: a sign-in would only ever show the first that answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from auth.errors import WrongCredentials
from auth.patrons.ldap import requests
from auth.patrons.ldap import responses as answers
from auth.patrons.ldap.connection import BrokenConnection
from auth.patrons.ldap.entries import Logins
from auth.patrons.ldap.groups import Membership, is_active_directory
from auth.patrons.ldap.messages import login_filter
from auth.patrons.ldap.responses import BindResult
from auth.patrons.ldap.server import WARN_DAYS, LdapServer, Purpose, make_context
from auth.patrons.login_names import check_login, spellings_of
from config import LdapSettings, NestedGroups
from config.findings import ConfigFinding, fault, good, warning

SAMPLE = 20
_ANY = "(objectClass=*)"
_DAY_SECONDS = 86400


def check_directory(
    settings: LdapSettings,
    membership: Membership | None,
    *,
    clock: Callable[[], float],
    login: str | None = None,
) -> list[ConfigFinding]:
    """Ask every server whether the settings fit. `login` has one person looked up; nobody's password is needed."""
    context = make_context(settings)
    found: list[ConfigFinding] = []
    if not settings.verify:
        found.append(fault("AROBASE_LDAP_VERIFY is false: anybody on the way can read every password."))
    for url in settings.urls:
        server = LdapServer(url, settings, context, clock)
        try:
            found += _of_server(server, _Look(settings, membership, login), clock)
        finally:
            server.close()
    return found


def _of_server(server: LdapServer, look: _Look, clock: Callable[[], float]) -> list[ConfigFinding]:
    started = time.monotonic()
    deadline = started + look.settings.timeout_seconds
    try:
        findings = server.talk(Purpose.SEARCH, deadline, lambda wire: list(look.all(wire, deadline)))
        took = round((time.monotonic() - started) * 1000)
        findings.insert(0, good(f"the service account may bind and search; {took} ms for all questions."))
        findings += server.talk(Purpose.PROOF, deadline, look.proof)
    except BrokenConnection as broken:
        findings = [fault(f"{broken.reason}.")]
    if (ends := server.certificate_ends) is not None:
        day = datetime.fromtimestamp(ends, UTC).date()
        soon = ends - clock() < WARN_DAYS * _DAY_SECONDS
        findings.append((warning if soon else good)(f"its certificate ends on {day}."))
    return [ConfigFinding(one.severity, f"{server.name}: {one.sentence}") for one in findings]


class _Look:
    """The questions to one server."""

    def __init__(self, settings: LdapSettings, membership: Membership | None, login: str | None) -> None:
        self.settings = settings
        self._membership = membership
        self._login = login
        self._logins = Logins(settings.user_filter)

    def all(self, wire: requests.LdapConnection, deadline: float) -> Iterator[ConfigFinding]:
        if not _exists(wire, self.settings.base_dn, deadline):
            yield fault(
                f"AROBASE_LDAP_BASE_DN: there is no {self.settings.base_dn}, or the service account may not read it."
            )
            return
        yield from self._people(wire, deadline)
        yield from self._group(wire, deadline)
        if self._login is not None:
            yield from self._person(wire, deadline, self._login)

    def proof(self, wire: requests.LdapConnection) -> list[ConfigFinding]:
        """Bind as an entry that does not exist with a wrong password: anything but invalidCredentials is a fault."""
        answer = requests.bind(wire, f"cn=arobase-nobody,{self.settings.base_dn}", b"no password of anybody")
        match answers.judge_bind(answer.code, answer.message, answer.policy):
            case BindResult.WRONG:
                return []
            case BindResult.UNKNOWN:
                return [fault(f"it answers a wrong password with {answer.description} ({answer.code}).")]
            case _:
                return [fault("it lets somebody in whom it does not know, with any password.")]

    def _people(self, wire: requests.LdapConnection, deadline: float) -> Iterator[ConfigFinding]:
        ours = self.settings
        wanted = [ours.id_attribute, ours.category_attribute, ours.expiry_attribute, ours.lock_attribute]
        answer = requests.search(
            wire,
            ours.base_dn,
            ours.user_filter.replace("{login}", "*"),
            attributes=tuple(name for name in wanted if name),
            seconds=deadline - time.monotonic(),
            most=SAMPLE,
        )
        if answer.code not in (requests.SUCCESS, requests.SIZE_LIMIT_EXCEEDED):
            yield warning(f"it does not tell who may be found: {answer.description} ({answer.code}).")
            return
        people = answer.entries
        if not people:
            yield fault(
                f"AROBASE_LDAP_USER_FILTER finds nobody below {ours.base_dn}, or the service account may not read them."
            )
            return
        without = sum(len(one.attributes.get(ours.id_attribute.lower(), ())) != 1 for one in people)
        if without:
            yield fault(
                f"AROBASE_LDAP_ID_ATTRIBUTE: {without} of {len(people)} people have no single {ours.id_attribute}."
            )
        for setting, name in (("CATEGORY", ours.category_attribute), ("EXPIRY", ours.expiry_attribute)):
            if name and not any(one.attributes.get(name.lower()) for one in people):
                yield warning(
                    f"AROBASE_LDAP_{setting}_ATTRIBUTE: none of {len(people)} people has {name}: is the name right?"
                )
        yield from _unreadable(ours, people)

    def _group(self, wire: requests.LdapConnection, deadline: float) -> Iterator[ConfigFinding]:
        if self._membership is None:
            return
        group, base = self._membership.group, self._membership.base
        if not _exists(wire, group, deadline):
            yield fault(
                f"AROBASE_LDAP_REQUIRED_GROUP: there is no {group}, or the service account may not read it."
            )
        is_ad = is_active_directory(wire, deadline=deadline)
        nested = self._membership.nested
        if nested is NestedGroups.CHAIN and not is_ad:
            yield warning(
                "AROBASE_LDAP_NESTED_GROUPS is chain, and it does not say that it is an Active Directory."
            )
        walks = nested is NestedGroups.WALK or (nested is NestedGroups.AUTO and not is_ad)
        if walks and not _exists(wire, base, deadline):
            yield fault(
                f"AROBASE_LDAP_GROUP_BASE_DN: there is no {base}, or the service account may not read it."
            )

    def _person(self, wire: requests.LdapConnection, deadline: float, login: str) -> Iterator[ConfigFinding]:
        try:
            typed = check_login(login)
        except WrongCredentials:
            yield fault("this cannot be a login: it is empty, too long or holds control characters.")
            return
        ours = self.settings
        asked = login_filter(ours.user_filter, spellings_of(typed))
        names = [ours.category_attribute, ours.expiry_attribute, ours.lock_attribute, "uid", "gidNumber"]
        attributes = tuple(dict.fromkeys(name for name in (*names, *self._logins.attributes) if name))
        seconds = deadline - time.monotonic()
        answer = requests.search(wire, ours.base_dn, asked, attributes=attributes, seconds=seconds)
        entry = self._logins.choose(answer.entries, typed) if answer.code == requests.SUCCESS else None
        if entry is None:
            several = "several entries match it and none exactly" if answer.entries else "nobody has it"
            yield fault(f"this login finds no person: {several}.")
            return
        yield good(f"this login is {entry.dn}: {_state(ours, entry)}.")
        if self._membership is not None:
            is_in = self._membership.holds(wire, entry.dn, entry.attributes, deadline=deadline)
            yield (good if is_in else fault)(
                f"this person is {'' if is_in else 'not '}in {self._membership.group}."
            )


def _exists(wire: requests.LdapConnection, dn: str, deadline: float) -> bool:
    seconds = deadline - time.monotonic()
    answer = requests.search(wire, dn, _ANY, attributes=("1.1",), seconds=seconds, scope=requests.BASE)
    return len(answer.entries) == 1


def _unreadable(ours: LdapSettings, people: tuple[requests.Entry, ...]) -> Iterator[ConfigFinding]:
    """Attributes that hold something else than the settings say; each is told once."""
    reasons = set()
    for one in people:
        try:
            _state(ours, one)
        except answers.UnreadableAttribute as error:
            reasons.add(str(error))
    for reason in sorted(reasons):
        yield fault(f"{reason}: nobody with such a value gets in.")


def _state(ours: LdapSettings, entry: requests.Entry) -> str:
    def values(name: str | None) -> tuple[bytes, ...]:
        return entry.attributes.get(name.lower(), ()) if name else ()

    ends = answers.read_expiry(ours.expiry_attribute or "", values(ours.expiry_attribute))
    locked = answers.read_lock(ours.lock_attribute or "", values(ours.lock_attribute))
    category = answers.read_text(values(ours.category_attribute))
    return ", ".join(
        (f"category {category or 'none'}", f"ends {ends or 'never'}", "locked" if locked else "not locked")
    )
