"""Passes ticked in the list of a batch: the count is asked first, each row is told, and no other batch is touched."""

from __future__ import annotations

import html
import re

from sqlalchemy import select

from auth.staff.roles import Role
from auth.vouchers.models import VoidReason, Voucher
from portal.services import Services
from tests.portal.conftest import Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.issuing import deeds, issue, only_batch
from tests.portal.staff.world import MINE, World
from tests.portal.visitors import use


def ids_of(services: Services, batch_id: int) -> list[int]:
    with services.make_session() as db:
        wanted = select(Voucher.id).where(Voucher.batch_id == batch_id).order_by(Voucher.number)
        return list(db.scalars(wanted))


def ask(clerk: Clerk, batch_id: int, deed: str, ids: list[int]) -> str:
    query = "&".join(f"pass={one}" for one in ids)
    clerk.get(f"/staff/batches/{batch_id}/ticked?do={deed}&{query}")
    return html.unescape(clerk.page.text)


def do(clerk: Clerk, batch_id: int, deed: str) -> str:
    """Press the button of the question; what came of it."""
    path = f"/staff/batches/{batch_id}/ticked/{deed}"
    clerk.post(
        path, **{**clerk.form(path), "pass": re.findall(r'name="pass" value="(\d+)"', clerk.page.text)}
    )
    return html.unescape(clerk.follow().text)


def test_ticked_passes_are_written_off_and_a_used_one_is_told_as_left(
    clerk: Clerk, services: Services, reader: Phone
) -> None:
    codes = issue(clerk, "4")
    batch = only_batch(services).id
    ids = ids_of(services, batch)
    assert use(reader, codes[0]).status_code == 303
    assert "Void the ticked passes…" in clerk.get(f"/staff/batches/{batch}").text
    assert "No pass is ticked." in ask(clerk, batch, "void", [])
    assert "Void 2 passes" in ask(clerk, batch, "void", ids[:3])
    assert deeds(services)[-1] != "pass voided"
    told = do(clerk, batch, "void")
    assert "2 passes were voided. 1 stays as it is." in told and told.count("not changed") == 1
    assert deeds(services)[-2:] == ["pass voided"] * 2
    with services.make_session() as db:
        gone = select(Voucher.number).where(Voucher.void_reason == VoidReason.UNUSED).order_by(Voucher.number)
        assert db.scalars(gone).all() == [2, 3]
    clerk.press(f"/staff/batches/{batch}/undo")
    with services.make_session() as db:
        assert db.scalars(gone).all() == []


def test_ticked_passes_are_cut_off_in_use_or_not(clerk: Clerk, services: Services, reader: Phone) -> None:
    codes = issue(clerk, "3")
    batch = only_batch(services).id
    use(reader, codes[0])
    asked = ask(clerk, batch, "revoke", ids_of(services, batch)[:2])
    assert "Cut off 2 passes" in asked and "1 device is online and is cut off." in asked
    assert "2 passes were cut off." in do(clerk, batch, "revoke")
    # What is dead stays dead, and the page says that there is nothing to do.
    assert "nothing to do" in ask(clerk, batch, "revoke", ids_of(services, batch)[:2])


def test_a_ticked_pass_of_another_network_stops_it_all(desk: Desk, world: World, services: Services) -> None:
    clerk = desk.at_work("walker", Role.DESK, networks=(MINE,))
    mine, other = ids_of(services, world.mine.batch_id), ids_of(services, world.other.batch_id)
    for deed in ("void", "revoke"):
        path = f"/staff/batches/{world.mine.batch_id}/ticked/{deed}"
        clerk.get("/staff/account")
        form = {**clerk.form("/staff/account/signout"), "pass": [mine[0], other[0]]}
        assert clerk.post(path, **form).status_code == 404
        assert ask(clerk, world.mine.batch_id, deed, [other[0]]) and clerk.page.status_code == 404
    with services.make_session() as db:
        assert db.scalars(select(Voucher.id).where(Voucher.voided_at.is_not(None))).all() == []
