"""Records by programs: the judge and the history of the pages, within the token's networks."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from sites.import_export import SITES, export_records, history
from tests.portal.api.conftest import HERE, Program


def test_a_record_is_put_and_its_history_names_the_program(tickets: Program, db: Session) -> None:
    answer = tickets.ask(
        "PUT", f"/records/sites/{HERE}", json={"cells": {"contact": "Ines", "step_free": True}}
    )
    told = answer.get_json()
    assert (told["outcome"], told["cells"]["contact"], told["credential"]) == ("changed", "Ines", None)
    (change,) = history.of_record(db, "sites", HERE)
    assert change.by == "token:tickets" and change.after == {"contact": "Ines", "step_free": "true"}
    deeds = select(AuditEntry.object).order_by(AuditEntry.number)
    assert db.scalars(deeds).all()[-1] == f"site:{HERE}"
    again = tickets.ask("PUT", f"/records/sites/{HERE}", json={"cells": {"contact": "Ines"}})
    assert again.get_json()["outcome"] == "unchanged"
    db.rollback()
    assert len(history.of_record(db, "sites", HERE)) == 1


def test_a_token_of_one_network_reaches_no_other(tickets: Program, stranger: Program, db: Session) -> None:
    before = export_records(db, SITES)
    db.rollback()
    listed = [one["slug"] for one in tickets.get("/records/sites").get_json()["records"]]
    assert listed == [HERE]
    assert "away" not in tickets.get("/records/sites/csv").text
    for program, status, cells in (
        (stranger, 404, {"contact": "me"}),
        (tickets, 422, {"networks": ["bibliotheques", "other-town"]}),
    ):
        refused = program.ask("PUT", f"/records/sites/{HERE}", json={"cells": cells})
        assert refused.status_code == status, refused.text
    db.rollback()
    assert export_records(db, SITES) == before


def test_all_that_is_wrong_is_told_by_column(tickets: Program) -> None:
    cells = {"latitude": "north", "zone": "Moon"}
    told = tickets.ask("PUT", f"/records/sites/{HERE}", json={"cells": cells}).get_json()
    assert told["field"] == "/cells/latitude" and "zone" in told["detail"]
