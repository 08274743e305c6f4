"""Exporting from the log: after showing once more who it is, as the list shows it, on record before the first byte."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from tests.clock import MovingClock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk
from tests.portal.staff.log_looks import deeds, holds_none, lift
from tests.town import ADA_PHONE

QUESTION = "site=gare-viotte&last=today"


def export(clerk: Clerk, kind: str, question: str = QUESTION, **fields: str) -> Any:
    """The answer, read to its end: until then the export holds a connection of the database."""
    clerk.get(f"/staff/sessions/export?{question}")
    form = {name: value for name, value in clerk.form("/staff/sessions/export").items() if name != "format"}
    answer = clerk.post(
        "/staff/sessions/export", **{**form, "purpose": "a lost phone", **fields}, format=kind
    )
    answer.get_data()
    return answer


def test_a_table_has_what_the_list_shows_and_is_masked(
    net: Clerk,
    known: dict[str, Any],
    db: Session,
) -> None:
    answer = export(net, "csv", purpose="a lost phone")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.get_data(as_text=True)
    assert len(text.splitlines()) == 4
    assert "masked: devices, persons" in text.splitlines()[0]
    assert known["code"] in text
    assert holds_none(text)
    asked, written = deeds(db)
    assert (asked.action, asked.detail["purpose"], asked.detail["format"]) == (
        "log exported",
        "a lost phone",
        "csv",
    )
    assert (written.action, written.detail["rows"]) == ("export written", 2)


def test_parquet_holds_the_same_rows(net: Clerk, known: dict[str, Any]) -> None:
    content = export(net, "parquet").get_data()
    assert parquet.read_table(io.BytesIO(content)).num_rows == 2
    assert holds_none(content.decode("latin-1"))


def test_parquet_is_offered_only_where_it_is_installed(
    net: Clerk, known: dict[str, Any], db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = 'value="parquet"'
    assert offered in net.get(f"/staff/sessions/export?{QUESTION}").get_data(as_text=True)
    # As Python marks a library that cannot be imported.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert offered not in net.get(f"/staff/sessions/export?{QUESTION}").get_data(as_text=True)
    before = len(deeds(db))
    # A page from before, or somebody who knows the address.
    answer = export(net, "parquet")
    assert answer.status_code == 501
    assert "Parquet is not installed here." in answer.get_data(as_text=True)
    assert 'value="a lost phone"' in answer.get_data(as_text=True)
    assert len(deeds(db)) == before
    assert export(net, "csv").status_code == 200


def test_it_is_unmasked_as_the_list_is(net: Clerk, known: dict[str, Any], db: Session) -> None:
    lift(net, f"/staff/sessions?{QUESTION}")
    assert ADA_PHONE in export(net, "csv").get_data(as_text=True)
    assert deeds(db)[-2].detail["unmasked"] == ["devices"]
    assert ADA_PHONE not in export(net, "csv", "last=today").get_data(as_text=True)


def test_who_it_is_must_be_shown_again(net: Clerk, known: dict[str, Any], clock: MovingClock) -> None:
    """The password is asked for again, and the answer leads on to where one was."""
    net.get(f"/staff/sessions/export?{QUESTION}")
    form = net.form("/staff/sessions/export")
    clock.advance(minutes=11)
    assert "Is it still you?" in net.post("/staff/sessions/export", **form).text
    net.get(f"/staff/sessions/export?{QUESTION}")
    net.follow()
    net.press("/staff/confirm", password=PASSWORD)
    assert net.page.location == f"/staff/sessions/export?{QUESTION}"


def test_nothing_asked_is_nothing_exported(net: Clerk, known: dict[str, Any]) -> None:
    assert net.get("/staff/sessions/export").location == "/staff/sessions"
    form = {"asked": "", "format": "csv", "purpose": "a lost phone"}
    net.get("/staff/sessions")
    token = net.form("/staff/sessions/find")
    form |= token
    assert net.post("/staff/sessions/export", **form).status_code == 400
    assert (
        net.post("/staff/sessions/export", **{**form, "asked": QUESTION, "format": "exe"}).status_code == 400
    )
    assert net.post("/staff/sessions/export", **{**form, "asked": "state=asleep"}).status_code == 400
    assert net.post("/staff/sessions/export", **{**form, "asked": "like=999"}).status_code == 404


def test_no_other_network_is_in_it(desk: Desk, known: dict[str, Any]) -> None:
    lib = desk.at_work("lou", Role.NETWORK, networks=("bibliotheques",))
    assert len(export(lib, "csv", "last=today").get_data(as_text=True).splitlines()) == 2


def test_a_browser_that_goes_away_leaves_the_number_of_rows(
    net: Clerk, known: dict[str, Any], db: Session
) -> None:
    answer = export(net, "csv")
    answer.close()
    assert [deed.action for deed in deeds(db)] == ["log exported", "export written"]


@pytest.mark.parametrize("purpose", ["", "   ", "because", "\u200b" * 12])
def test_an_export_without_a_purpose_is_refused_and_leaves_no_line(
    net: Clerk, known: dict[str, Any], db: Session, purpose: str
) -> None:
    answer = export(net, "csv", purpose=purpose)
    assert answer.status_code == 400
    assert "What is the export for?" in answer.text
    assert deeds(db) == []
    # What was asked is still there: one field more, and it is done.
    net.press("/staff/sessions/export", purpose="a lost phone", format="csv")
    assert net.page.status_code == 200 and net.page.mimetype == "text/csv"
    # Read to its end: until then the file is still being written.
    assert net.page.get_data()
