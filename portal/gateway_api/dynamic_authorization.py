"""Have a NAS do as the leases say: Disconnect-Request for what has ended, CoA-Request for what has changed (RFC 5176).

Nothing is taken for done before the NAS has said so. What it has not answered, or refused, is asked again by every
round of the sweep, for as long as leases and NAS differ: docs/radius-dynamic-authorization.md.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import current_app, has_request_context

from db.engine import reading
from gateways.radius import dynauth
from gateways.radius.dynauth import Answer, Outcome, Peer
from gateways.radius.live_sessions import Ask, DynamicAuthorization, LiveSession, Request
from gateways.radius.profile import RadiusProfile
from gateways.registry import kind_of
from gateways.set_up import Finding
from gateways.types import MacAddress
from portal.gateway_api import radius_credentials
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.exchanges import heard, note
from portal.gateway_api.secrets import secrets_of
from portal.services import services
from sessions import nas_changes
from sessions.nas_changes import Differences, ToChange, ToEnd
from sites.models import Gateway

SHARED_SECRET = "radius"
# How long answers are waited for after each sending, in seconds: while somebody waits for a page, and in the sweep.
IN_REQUEST, IN_SWEEP = (0.3, 0.7), (0.5, 1.0, 1.5)
SELF_TEST = (0.7, 0.7)
# A card that nobody has.
NOBODY = "02:00:00:00:00:00"
# A box that was silent is left to the sweep for so long, which tries it once a round, so that it holds up nobody.
SILENT_FOR_SECONDS, ONCE = 9.0, (0.5,)
NO_ANSWER = Answer(Outcome.NO_ANSWER)
_WORDS = {
    Outcome.DONE: "ACK",
    Outcome.UNKNOWN_SESSION: "NAK: it has no such session",
    Outcome.REFUSED: "NAK: ",
    Outcome.NO_ANSWER: "no answer",
}


@dataclass(slots=True)
class _Asked:
    what: ToEnd | ToChange
    request: Request
    answer: Answer = NO_ANSWER
    is_sent: bool = False

    @property
    def number(self) -> int:
        return self.what.number

    @property
    def is_over(self) -> bool:
        """The NAS holds the session no more."""
        is_ended = isinstance(self.what, ToEnd) and self.answer.outcome is Outcome.DONE
        return is_ended or self.answer.outcome is Outcome.UNKNOWN_SESSION


def notify(gateway: Gateway) -> None:
    """Ask of the NAS what its sessions differ in from the leases, and write down what it answers.

    For kinds with `RadiusProfile.dynauth`. In a request it waits for the answers for a second at most.
    """
    profile = kind_of(gateway.kind).radius
    if profile is None or profile.dynauth is None:
        return
    now = services().clock()
    with reading(services().make_session) as db:
        found = nas_changes.differences(
            db,
            gateway_id=gateway.id,
            user_of=lambda number, mac: radius_credentials.user_of(gateway, number, mac),
            now=now,
        )
    asked = _requests(found, profile, profile.dynauth)
    _exchange(gateway, asked)
    if found.over or any(one.is_sent for one in asked) or not has_request_context():
        _write(gateway, asked, found.over)
    _tell(gateway, asked)


def _requests(found: Differences, profile: RadiusProfile, how: DynamicAuthorization) -> list[_Asked]:
    now = services().clock()
    made: list[tuple[ToEnd | ToChange, Request | None]] = [
        (end, how.disconnect(end.session, now=now)) for end in found.ends
    ]
    for change in found.changes:
        down, up = change.grant.rate_down_kbps, change.grant.rate_up_kbps
        rates = profile.rates(down, up) if down > 0 and up > 0 else {}
        made.append((change, how.change(change.session, until=change.until, rates=rates, now=now)))
    return [_Asked(what, request) for what, request in made if request is not None]


def _exchange(gateway: Gateway, asked: list[_Asked]) -> None:
    """Send what is asked, to each box of the gateway, and fill in the answers."""
    is_waited_for = has_request_context()
    boxes: dict[str, list[_Asked]] = {}
    for one in asked:
        boxes.setdefault(address_of(gateway, one.what.session), []).append(one)
    for address, here in boxes.items():
        silence = _silences(gateway).get(address)
        if is_waited_for and silence is not None and time.monotonic() - silence < SILENT_FOR_SECONDS:
            continue
        waits = IN_REQUEST if is_waited_for else ONCE if silence is not None else IN_SWEEP
        _ask(gateway, address, here[: dynauth.AT_ONCE] if is_waited_for else here, waits)
        if is_waited_for and address in _silences(gateway):
            # One box that is away is as long as anybody waits: the sweep asks the others.
            return


def _ask(gateway: Gateway, address: str, here: list[_Asked], waits: Sequence[float]) -> None:
    port, is_strict = int(gateway.option("coa_port")), gateway.option("coa_signed_answers") == "yes"
    for secret in secrets_of(gateway, SHARED_SECRET):
        waiting = [one for one in here if one.answer.outcome is Outcome.NO_ANSWER]
        peer = Peer(address, port, secret.encode(), is_strict)
        for one, answer in zip(
            waiting, dynauth.exchange([one.request for one in waiting], peer, waits=waits), strict=True
        ):
            one.answer, one.is_sent = answer, True
    if all(one.answer.outcome is Outcome.NO_ANSWER for one in here):
        _silences(gateway)[address] = time.monotonic()
    else:
        _silences(gateway).pop(address, None)
        heard(gateway)


def self_test(gateway: Gateway) -> list[Finding]:
    """Whether its first box takes requests: it is asked to end a session that cannot be, and has to say no."""
    profile = kind_of(gateway.kind).radius
    if profile is None or profile.dynauth is None:
        return []
    user = radius_credentials.user_of(gateway, 0, MacAddress(NOBODY))
    session = LiveSession(user_name=user, acct_session_id="arobase-self-test")
    request = profile.dynauth.disconnect(session, now=services().clock())
    assert request is not None
    one = _Asked(ToEnd(0, None, session), request)
    address = address_of(gateway, session)
    _ask(gateway, address, [one], SELF_TEST)
    facts = (("address", address), ("port", gateway.option("coa_port")))
    if one.answer.outcome is Outcome.NO_ANSWER:
        return [Finding("no_disconnect_answer", facts)]
    if one.answer.outcome is Outcome.REFUSED:
        return [Finding("disconnect_refused", (*facts, ("reason", one.answer.words)))]
    return []


def address_of(gateway: Gateway, session: LiveSession) -> str:
    """Where the box that has this session takes requests: as the operator says; else the box's own address, where that
    is one of the record's; else the record's first."""
    if chosen := gateway.option("coa_address"):
        return chosen
    ours = [ipaddress.ip_network(text.strip()) for text in gateway.option("nas_address").split(",")]
    if session.nas_address and any(ipaddress.ip_address(session.nas_address) in net for net in ours):
        return session.nas_address
    return str(ours[0].network_address)


def _write(gateway: Gateway, asked: list[_Asked], over: tuple[int, ...]) -> None:
    ends = [one for one in asked if isinstance(one.what, ToEnd)]
    refused = {one.number: one.answer.words for one in ends if one.answer.outcome is Outcome.REFUSED}
    left = {one.number for one in ends if not one.is_over}
    ended = {*over, *(one.number for one in ends)} - left
    changed = [
        one.number for one in asked if isinstance(one.what, ToChange) and one.answer.outcome is Outcome.DONE
    ]
    now = services().clock()
    with services().make_session.begin() as db:
        nas_changes.note_ends(
            db,
            done=_rows(one for one in ends if one.answer.outcome is Outcome.DONE),
            unknown=_rows(one for one in asked if one.answer.outcome is Outcome.UNKNOWN_SESSION),
            now=now,
        )
        if left:
            nas_changes.doubt(db, gateway_id=gateway.id, numbers=left, now=now)
        confirm_some(db, gateway_id=gateway.id, numbers=changed, ended=ended, refused_ends=refused, now=now)


def _rows(asked: Iterable[_Asked]) -> list[int]:
    return [one.what.row for one in asked if one.what.row is not None]


def _tell(gateway: Gateway, asked: list[_Asked]) -> None:
    """Keep the exchanges for staff; what is as it was in the last round is not told again."""
    before: dict[int, dict[str, str]] = current_app.extensions.setdefault("arobase.dynauth_told", {})
    told: dict[str, str] = {}
    for one in asked:
        if not one.is_sent:
            continue
        verb = "Disconnect-Request" if one.request.ask is Ask.DISCONNECT else "CoA-Request"
        told[f"{verb} for session {one.number}"] = _WORDS[one.answer.outcome] + one.answer.words
    for said, answered in told.items():
        if before.get(gateway.id, {}).get(said) != answered:
            note(gateway, said, answered)
    if told:
        before[gateway.id] = told


def _silences(gateway: Gateway) -> dict[str, float]:
    """Since when which of its boxes have not answered this process."""
    of_all: dict[int, dict[str, float]] = current_app.extensions.setdefault("arobase.dynauth_silent", {})
    return of_all.setdefault(gateway.id, {})
