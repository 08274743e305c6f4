"""Sessions ticked in the log's list: the count is asked first, each is told, and no other network's is touched."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from portal.services import Services
from sessions.models import AccessSession, EndReason, Lease
from tests.clock import MovingClock
from tests.portal.conftest import Agent, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.log_looks import deeds
from tests.sessions.log.rows import add_session
from tests.town import BO_PHONE, Town

TICKED = "/staff/sessions/ticked"


def ask(clerk: Clerk, *ids: int, lang: str = "en") -> str:
    clerk.get(f"{TICKED}?lang={lang}&" + "&".join(f"session={one}" for one in ids))
    return html.unescape(clerk.page.text)


def end(clerk: Clerk) -> str:
    """Press the button of the question; what came of it."""
    path = f"{TICKED}/end"
    ids = re.findall(r'name="session" value="(\d+)"', clerk.page.text)
    clerk.post(path, **{**clerk.form(path), "session": ids})
    return html.unescape(clerk.follow().text)


def test_ticked_sessions_are_ended_and_their_gateways_told(
    net: Clerk, phone: Phone, station: Agent, town: Town, services: Services, db: Session
) -> None:
    phone.land()
    phone.press("/pause")
    station.follow()
    online = db.scalars(select(AccessSession.id)).one()
    now = services.clock()
    other = add_session(db, town.station, now - timedelta(minutes=5), mac=BO_PHONE).id
    over = add_session(db, town.battant, now - timedelta(hours=2), ended_at=now, end_reason=EndReason.IDLE).id
    db.commit()
    listed = net.get("/staff/sessions?state=open&show=sessions").text
    assert re.findall(r'name="session" value="(\d+)"', listed) == [str(online), str(other)]
    assert "End the ticked sessions…" in listed and "/staff/assets/tick" in listed
    assert "No session is ticked." in ask(net)
    before = len(deeds(db))
    asked = ask(net, other, online, over)
    # Each is shown masked, and that is on record; nothing has ended yet.
    assert "End 2 sessions" in asked and "…:0a:01" in asked
    db.rollback()
    assert [deed.action for deed in deeds(db)][before:] == ["session opened"] * 3
    assert db.scalars(select(AccessSession.end_reason).where(AccessSession.id == online)).one() is None
    # One ends by itself while the question stands there: it is told so.
    with services.make_session.begin() as elsewhere:
        left = elsewhere.get_one(AccessSession, other)
        left.ended_at, left.end_reason = now, EndReason.LEFT
    told = end(net)
    assert "1 session was ended by staff. 1 had ended by itself before." in told
    db.rollback()
    assert db.get_one(AccessSession, online).end_reason is EndReason.STAFF
    assert db.get_one(AccessSession, other).end_reason is EndReason.LEFT
    assert db.scalars(select(Lease.released_at).where(Lease.access_id == online)).one() is not None
    assert [deed.action for deed in deeds(db)].count("session ended") == 1
    station.follow()
    assert station.macs == set()
    assert "nothing to do" in ask(net, online, over)


def test_a_ticked_session_of_another_network_stops_it_all(
    desk: Desk, net: Clerk, known: dict[str, Any], town: Town, clock: MovingClock, db: Session
) -> None:
    elsewhere = add_session(db, town.pierre_bayle, clock() - timedelta(minutes=1), mac=BO_PHONE)
    db.commit()
    mine = db.get_one(AccessSession, known["ada"]).network.slug
    assert elsewhere.network.slug != mine
    clerk = desk.at_work("nils", Role.NETWORK, networks=(mine,))
    assert "End 1 session" in ask(clerk, known["ada"])
    form = {**clerk.form(f"{TICKED}/end"), "session": [str(known["ada"]), str(elsewhere.id)]}
    assert clerk.post(f"{TICKED}/end", **form).status_code == 404
    assert ask(clerk, elsewhere.id) and clerk.page.status_code == 404
    db.rollback()
    assert db.scalars(select(AccessSession.id).where(AccessSession.end_reason == EndReason.STAFF)).all() == []


def test_a_number_that_no_session_can_have_is_no_session(net: Clerk, known: dict[str, Any]) -> None:
    assert (
        "No session is ticked." in ask(net)
        and net.get(f"{TICKED}?session=x&session={'9' * 40}").status_code == 200
    )
    assert net.get(f"{TICKED}?session=999999").status_code == 404
