"""The events of a session's story, each as one sentence. What is masked stays masked."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from portal.denials.rendering import explanation
from portal.i18n.gateway_refusals import refusal_in_words
from portal.i18n.translation import language, say, volume
from portal.staff.sessions.denial_words import step_in_words
from portal.staff.sessions.pages import SiteChoices
from portal.staff.sessions.words import end_in_words, short, way_in_words
from sessions.log.denials import show_code
from sessions.log.masks import Visibility
from sessions.log.timeline import Event, EventKind, TimelineRows
from sessions.models import Decision, Lease, Usage


def event_in_words(
    event: Event, rows: TimelineRows, places: SiteChoices, sight: Visibility, zone: ZoneInfo
) -> str:
    """One event as a sentence."""
    access, facts = rows.access, event.facts
    match event.what:
        case EventKind.LANDED:
            return say("The device came to the first page.")
        case EventKind.REFUSED:
            return _refused(facts["decision"])
        case EventKind.ACCEPTED:
            return _accepted(event)
        case EventKind.SIGNED_IN:
            return say(
                "Signed in: %(way)s, at %(site)s.",
                way=way_in_words(access.method),
                site=site_name(places, event.facts["site_id"]),
            )
        case EventKind.ROAMED:
            return say(
                "Walked from %(before)s to %(after)s, without signing in again.",
                before=site_name(places, facts["from_id"]),
                after=site_name(places, facts["site_id"]),
            )
        case EventKind.CAME_FROM:
            return say(
                "Took over the time of session %(number)s, which the same person had on %(mac)s.",
                number=facts["access"].id,
                mac=sight.mac(facts["access"].mac),
            )
        case EventKind.WENT_ON:
            return say(
                "Went on as session %(number)s, on %(mac)s.",
                number=facts["access"].id,
                mac=sight.mac(facts["access"].mac),
            )
        case EventKind.COUNTED:
            return _counted(facts["usage"], rows)
        case EventKind.ENDED:
            return say("Ended: %(why)s.", why=end_in_words(facts["reason"]))
        case _:
            return _of_lease(event.what, facts["lease"], rows, sight, zone)


def site_name(places: SiteChoices, site_id: int) -> str:
    site = places.sites.get(site_id)
    return site.name if site is not None else say("another place")


def _refused(decision: Decision) -> str:
    return say(
        "Refused %(step)s: %(rule)s. Incident %(code)s.",
        step=step_in_words(decision.step),
        rule=explanation(decision.rule).name,
        code=show_code(decision.code),
    )


def _accepted(event: Event) -> str:
    shown = event.facts["impression"]
    seconds = max(0, round((shown.accepted_at - shown.shown_at).total_seconds()))
    if shown.creative_id is None:
        return say("Accepted the terms; there was no message to show.")
    return say(
        "Accepted message no. %(number)s after %(seconds)s s.", number=shown.creative_id, seconds=seconds
    )


def _counted(usage: Usage, rows: TimelineRows) -> str:
    return say(
        "Last report of gateway %(gateway)s: %(down)s down, %(up)s up since its counters began (%(epoch)s).",
        gateway=_gateway(rows, usage.gateway_id),
        down=volume(usage.bytes_down),
        up=volume(usage.bytes_up),
        epoch=usage.epoch[:8],
    )


def _of_lease(what: EventKind, lease: Lease, rows: TimelineRows, sight: Visibility, zone: ZoneInfo) -> str:
    gateway = _gateway(rows, lease.gateway_id)
    match what:
        case EventKind.LEASED:
            sentence = say(
                "May pass from %(start)s to %(end)s at %(gateway)s, address %(address)s.",
                start=short(lease.starts_at, zone),
                end=short(lease.until, zone),
                gateway=gateway,
                address=sight.address(lease.address),
            )
            if lease.public_address is None or lease.port_first is None:
                return sentence
            return f"{sentence} " + say(
                "Seen outside as %(address)s, ports %(ports)s.",
                address=sight.address(lease.public_address),
                ports=sight.ports(lease.port_first, lease.port_last),
            )
        case EventKind.CONFIRMED:
            waited = max(0.0, ((lease.confirmed_at or lease.created_at) - lease.created_at).total_seconds())
            return say(
                "Gateway %(gateway)s confirmed after %(seconds)s s.",
                gateway=gateway,
                seconds=format_decimal(round(waited, 1), locale=language()),
            )
        case EventKind.TURNED_DOWN:
            return say(
                "Gateway %(gateway)s refused it: %(words)s", gateway=gateway, words=lease.refused or ""
            )
        case EventKind.PENDING if lease.release_refused:
            return say(
                "Taken back; gateway %(gateway)s refuses to end it: %(words)s. It is asked again and again.",
                gateway=gateway,
                words=refusal_in_words(lease.release_refused),
            )
        case EventKind.PENDING:
            return say("Taken back; gateway %(gateway)s has not confirmed that yet.", gateway=gateway)
        case _:
            return say("Taken back; gateway %(gateway)s has confirmed.", gateway=gateway)


def _gateway(rows: TimelineRows, gateway_id: int) -> str:
    gateway = rows.gateways.get(gateway_id)
    return gateway.identity if gateway is not None else str(gateway_id)
