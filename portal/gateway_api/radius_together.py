"""Packets of RADIUS that came at one time, answered together: one look at the leases and one commit for a gateway.

Only who is simply let in, and what goes into the books, is answered here. Whatever else there is to say about a packet
the application says, which is then asked about that packet alone (`radius_calls`).
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from gateways.radius import attributes
from gateways.radius.accounting import Record, Status
from gateways.radius.attributes import Attributes, MalformedRequest
from portal.gateway_api import radius_answers, radius_books
from portal.gateway_api.exchanges import heard
from portal.gateway_api.radius_callers import ForeignPacket, gateway_of, refuse_foreign
from sites.models import Gateway

log = logging.getLogger(__name__)
AUTHORIZE, ACCOUNTING = "/gateways/radius/v1/authorize", "/gateways/radius/v1/accounting"


@dataclass(frozen=True, slots=True)
class Call:
    """One packet as rlm_rest brings it."""

    path: str
    authorization: str
    body: bytes


# The bodies of the answers by the place of their calls; an acknowledgement has none.
Answers = dict[int, bytes]


def answer(calls: Sequence[Call]) -> list[bytes | None]:
    """The body of each answer, None for each call that is the application's."""
    found: Answers = {}
    for (path, number), packets in _by_gateway(calls).items():
        gateway = packets[0].gateway
        take = _authorize if path == AUTHORIZE else _account
        try:
            heard(gateway)
            found |= take(gateway, {packet.place: packet.attributes for packet in packets})
        except SQLAlchemyError:
            # The application meets the same trouble with each of them, and knows what to say; or it was only one's.
            continue
        except Exception:
            log.exception("packets of gateway %s could not be answered together", number)
    return [found.get(place) for place in range(len(calls))]


@dataclass(frozen=True, slots=True)
class _Packet:
    place: int
    gateway: Gateway
    attributes: Attributes


def _by_gateway(calls: Sequence[Call]) -> dict[tuple[str, int], list[_Packet]]:
    """The packets that can be read and are the gateways' own, by what they ask and whose they are."""
    found = defaultdict[tuple[str, int], list[_Packet]](list)
    callers = {name: gateway_of(name) for name in {call.authorization for call in calls}}
    for place, call in enumerate(calls):
        gateway = callers[call.authorization]
        if gateway is None:
            continue
        try:
            packet = attributes.read(json.loads(call.body))
            refuse_foreign(gateway, packet)
            if packet.word("Arobase-Outcome") is not None:
                continue
        except (ValueError, RecursionError, ForeignPacket):
            continue
        found[call.path, gateway.id].append(_Packet(place, gateway, packet))
    return found


def _authorize(gateway: Gateway, packets: dict[int, Attributes]) -> Answers:
    answered = zip(packets, radius_answers.answer_together(gateway, list(packets.values())), strict=True)
    return {
        place: json.dumps(one.body).encode() for place, one in answered if one is not None and one.is_accepted
    }


def _account(gateway: Gateway, packets: dict[int, Attributes]) -> Answers:
    """Each device once in a transaction: of two packets of one session, the second meets what the first has written."""
    answers: Answers = {}
    rounds: list[dict[str, tuple[int, Record]]] = []
    for place, packet in packets.items():
        record = _readable(gateway, packet)
        if record is None or record.status is Status.RESTART or record.mac is None:
            continue
        mac = record.mac
        free = next((one for one in rounds if mac not in one), None)
        if free is None:
            rounds.append(free := {})
        free[mac] = place, record
    for one in rounds:
        radius_books.enter(gateway, [record for _, record in one.values()])
        answers |= {place: b"" for place, _ in one.values()}
    return answers


def _readable(gateway: Gateway, packet: Attributes) -> Record | None:
    try:
        return radius_books.read(gateway, packet)
    except MalformedRequest:
        return None
