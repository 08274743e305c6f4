"""The first page of staff: what is broken first, then the state of today; each role sees its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import make_response, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action, may
from db.engine import reading
from portal.i18n.translation import clock_time, say
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.overview.line import sparkline
from portal.staff.overview.tiles import tiles
from portal.trouble_words import advice_of, path_of, severity_in_words, title_of
from sessions.online import LastDay, last_day
from sessions.troubles.service import SETTLED_AFTER, kind_of, open_troubles, past_troubles, sweep_silence

# Who sees how many people are online, and the page that says more; what comes first counts.
ONLINE: tuple[tuple[Action, Callable[[], str]], ...] = (
    (Action.SESSIONS, lambda: url_for("staff.sessions", state="open")),
    (Action.GATEWAYS, lambda: url_for("staff.gateways")),
    (Action.REPORT, lambda: url_for("staff.reports")),
)


@staff.get("/overview")
@needs(Action.OWN_ACCOUNT)
def overview() -> AnyResponse:
    now, authority = services().clock(), current_staff().authority
    with reading(services().make_session) as db:
        silence = sweep_silence(db, now=now)
        page = render_template(
            "staff/overview.html",
            troubles=[*([silence] if silence else []), *open_troubles(db, authority=authority)],
            over=past_troubles(db, since=now - 6 * SETTLED_AFTER, authority=authority),
            online=_online(db, now),
            tiles=tiles(db, now=now),
            kind_of=kind_of,
            title_of=title_of,
            advice_of=advice_of,
            path_of=path_of,
            severity_in_words=severity_in_words,
        )
    return make_response(page)


def _online(db: Session, now: datetime) -> dict[str, object] | None:
    """How many are online, the last day as a line, and where more of it is; None where it is not this person's."""
    authority = current_staff().authority
    address = next((address for action, address in ONLINE if may(authority, action)), None)
    if address is None:
        return None
    found = last_day(db, now=now, networks=authority.networks)
    return {
        "day": found,
        "url": address(),
        "line": sparkline(found.counts, alt=_told(found)),
    }


def _told(day: LastDay) -> str:
    zone = town_zone().key
    return say(
        "Devices online over the last day: from %(least)s to %(most)s, the most at %(time)s.",
        least=min(day.counts),
        most=day.most,
        time=clock_time(day.most_at, zone),
    )
