"""The desk: a pass in two keystrokes, printed from the page that made it, and nobody else's business."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from auth.vouchers import redeeming
from auth.vouchers.codes import read
from auth.vouchers.models import Batch, Plan, PlanKind, Voucher
from portal.printing.from_vouchers import say_end
from portal.services import Services
from sites.models import Network, Site
from tests.portal.conftest import Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.issuing import CODE, deeds, issue, only_batch
from tests.portal.visitors import use
from tests.town import make_library_network, make_site


def test_enter_alone_issues_one_pass(clerk: Clerk, services: Services) -> None:
    """Two keystrokes: the field that is in focus is empty, which says one."""
    page = clerk.get("/staff/desk").text
    assert re.search(r'<input id="count"[^>]*value="" placeholder="1"[^>]*autofocus', page)
    (code,) = issue(clerk)
    with services.make_session() as db:
        assert redeeming.find(db, keys=services.voucher_keys, code=read(code)) is not None
    assert f'<p class="aloud">{code}</p>' in clerk.page.text
    assert re.search(r"<button[^>]*autofocus[^>]*>Print", clerk.page.text)


def test_a_batch_says_who_issued_what_to_which_desk_and_when(clerk: Clerk, services: Services) -> None:
    codes = issue(clerk, "30", note="Salle B", event="Fête du livre")
    assert len(codes) == 30
    with services.make_session() as db:
        batch = db.scalars(select(Batch)).one()
        assert (batch.issued_by, batch.desk_site, batch.count) == ("cem", "pierre-bayle", 30)
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "passes issued")).one()
    assert (entry.actor, entry.object, entry.network) == ("cem", f"batch:{batch.id}", "bibliotheques")
    assert entry.detail["count"] == 30
    assert "Fête du livre" in clerk.get("/staff/desk").text


def test_nobody_issues_in_the_name_of_whichever_library_comes_first(
    desk: Desk, clerk: Clerk, services: Services
) -> None:
    """With several desks, a first day begins at the account's home library, or with the question."""
    with services.make_session.begin() as db:
        network = db.scalars(select(Network).where(Network.slug == "bibliotheques")).one()
        db.add(make_site("annexe", network))
    fresh = desk.at_work("fay", Role.DESK)
    assert '<option value="" selected>Choose the desk' in fresh.get("/staff/desk").text
    refused = fresh.press("/staff/desk", plan="day", desk="")
    assert refused.status_code == 400 and "Choose the library first" in refused.text
    at_home = desk.at_work("gus", Role.DESK, home_site="pierre-bayle")
    assert '<option value="pierre-bayle" selected>' in at_home.get("/staff/desk").text
    at_home.press("/staff/desk", plan="day", desk="annexe")
    assert '<option value="annexe" selected>' in at_home.get("/staff/desk").text
    with services.make_session() as db:
        assert [one.desk_site for one in db.scalars(select(Batch))] == ["annexe"]


def test_a_double_press_issues_once(clerk: Clerk, db: Session) -> None:
    clerk.get("/staff/desk")
    form = {**clerk.form("/staff/desk"), "plan": "day", "count": "2"}
    clerk.post("/staff/desk", **form)
    codes = CODE.findall(clerk.follow().text)
    clerk.post("/staff/desk", **form)
    again = clerk.follow()
    assert codes and CODE.findall(again.text) == codes
    assert "sent twice and done once" in again.text
    assert db.scalar(select(func.count(Voucher.id))) == 2


def test_no_link_on_an_answer_to_a_form_loses_what_was_typed(clerk: Clerk) -> None:
    """Another language is a link to the page, which knows nothing of what was sent."""
    assert 'class="languages"' in clerk.get("/staff/desk").text
    answer = clerk.press("/staff/desk", plan="day", count="ten", event="Fête du livre")
    assert (answer.status_code, "Fête du livre" in answer.text) == (400, True)
    assert 'class="languages"' not in answer.text


@pytest.mark.parametrize("count", ["0", "-1", "1001", "ten", "1e3", "٣", "9" * 500])
def test_it_refuses_what_is_no_number_of_passes(clerk: Clerk, db: Session, count: str) -> None:
    clerk.get("/staff/desk")
    answer = clerk.press("/staff/desk", plan="day", count=count, note="kept")
    assert answer.status_code == 400
    assert "<title>Error:" in answer.text and 'value="kept"' in answer.text
    assert db.scalar(select(func.count(Voucher.id))) == 0


@pytest.mark.parametrize("day", ["2026-11-23", "yesterday", "9999-12-31", "2026-13-01"])
def test_it_refuses_a_last_day_that_is_none_or_over(clerk: Clerk, db: Session, day: str) -> None:
    clerk.get("/staff/desk")
    assert clerk.press("/staff/desk", plan="day", count="1", last_day=day).status_code == 400
    assert db.scalar(select(func.count(Voucher.id))) == 0


def test_a_last_day_ends_at_its_midnight(clerk: Clerk, services: Services) -> None:
    issue(clerk, last_day="2026-12-03")
    with services.make_session() as db:
        ends_at = db.scalars(select(Batch.ends_at)).one()
    assert ends_at is not None and ends_at.isoformat() == "2026-12-03T23:00:00+00:00"


def test_passes_for_saturday_say_so_on_the_page_on_the_ticket_and_to_the_visitor(
    clerk: Clerk, services: Services, reader: Phone
) -> None:
    """From the midnight that begins the first day, which the desk chooses beside the last one."""
    (code,) = issue(clerk, first_day="2026-11-28", last_day="2026-11-29")
    assert "It cannot be used before Saturday 28 November." in clerk.page.text
    batch = only_batch(services)
    assert batch.starts_at is not None and batch.starts_at.isoformat() == "2026-11-27T23:00:00+00:00"
    with clerk.app.app_context(), services.make_session() as db:
        said = say_end(db.get_one(Batch, batch.id), "fr", "Europe/Paris")
    assert said == (
        "valable un jour, jusqu’à minuit, utilisable du samedi 28 novembre au dimanche 29 novembre 23:59"
    )
    told = use(reader, code)
    assert told.status_code == 403 and "This pass is valid from Saturday 28 November." in told.text
    assert "Good from Saturday 28 November on." in clerk.get(f"/staff/passes/{batch.id}").text
    assert "first use" in clerk.get(f"/staff/batches/{batch.id}").text
    refused = clerk.get("/staff/desk") and clerk.press(
        "/staff/desk", plan="day", first_day="2026-11-29", last_day="2026-11-28"
    )
    assert refused.status_code == 400 and "The first day is after the last one" in refused.text


def test_a_plan_or_desk_of_another_network_is_none(clerk: Clerk, services: Services, db: Session) -> None:
    with services.make_session.begin() as writing:
        writing.add(Plan(slug="other", names={}, kind=PlanKind.UNTIL_MIDNIGHT, networks=["wifilib"]))
    page = clerk.get("/staff/desk").text
    assert "other" not in page and "gare-viotte" not in page
    form = clerk.form("/staff/desk")
    assert clerk.post("/staff/desk", **{**form, "plan": "other"}).status_code == 404
    assert clerk.post("/staff/desk", **{**form, "plan": "day", "desk": "gare-viotte"}).status_code == 404
    assert db.scalar(select(func.count(Voucher.id))) == 0


def test_the_plan_of_last_time_is_remembered(clerk: Clerk) -> None:
    issue(clerk, plan="2h")
    assert '<option value="2h" selected>' in clerk.get("/staff/desk").text


def test_the_computer_remembers_its_desk_for_whoever_signs_in_next(clerk: Clerk, services: Services) -> None:
    with services.make_session.begin() as db:
        network = db.scalars(select(Network).where(Network.slug == "bibliotheques")).one()
        db.add(make_site("nelson-mandela", network, ads_allowed=False))
    assert '<option value="pierre-bayle" selected>' not in issue(clerk, desk="nelson-mandela")
    clerk.press("/staff/signout")
    clerk.sign_in()
    assert '<option value="nelson-mandela" selected>' in clerk.get("/staff/desk").text


def test_the_files_for_spreadsheets_speak_the_readers_language(clerk: Clerk, services: Services) -> None:
    """Headings, states, kinds and desks as the page says them, and instants on the town's clock."""
    issue(clerk, "2", desk="pierre-bayle")
    batch = only_batch(services)
    names = clerk.get("/staff/batches.csv?lang=fr").get_data().decode("utf-8-sig").splitlines()
    assert names[0].startswith('"Lot";"Émis";"Émis par";"Guichet";"Type";"Évènement";"Note"')
    assert "pierre-bayle" not in names[1] and "2026-11-24 12:00" in names[1]
    passes = clerk.get(f"/staff/batches/{batch.id}/passes.csv?lang=fr").get_data().decode("utf-8-sig")
    assert passes.splitlines()[0].startswith('"Numéro";"État";"Émis le";"Première utilisation"')
    assert '"pas encore utilisé"' in passes
    assert (
        clerk.get("/staff/batches.csv?lang=en").get_data().decode("utf-8-sig").startswith('"Batch";"Issued"')
    )
    assert (
        clerk.get("/staff/batches.csv?lang=fr&words=nowhere").get_data().decode("utf-8-sig").count("\n") == 1
    )


def test_the_files_for_spreadsheets_run_nothing(clerk: Clerk, services: Services) -> None:
    """A spreadsheet takes a cell that begins with =, +, - or @ for a formula."""
    codes = issue(clerk, "2", note="=HYPERLINK(1)", event="@SUM(A1)")
    batch = only_batch(services)
    books = clerk.get("/staff/batches.csv")
    assert books.mimetype == "text/csv"
    text = books.get_data().decode("utf-8-sig")
    assert '"\'=HYPERLINK(1)"' in text and '"\'@SUM(A1)"' in text
    assert text.splitlines()[1].endswith('"2";"0";"0";"0";"2"')
    passes = clerk.get(f"/staff/batches/{batch.id}/passes.csv").get_data().decode("utf-8-sig")
    # Excel would make a day of the mark 1-1.
    assert passes.splitlines()[1].startswith(f'"\'{batch.id}-1";"not used yet"')
    assert not any(code in text + passes for code in codes)
    assert deeds(services) == ["passes issued", "books exported", "batch exported"]


def test_what_somebody_typed_runs_in_nobodys_page(clerk: Clerk, services: Services) -> None:
    """Templates escape it."""
    hostile = '"><script>alert(1)</script>'
    issue(clerk, note=hostile, event=hostile)
    batch = only_batch(services)
    for page in (
        "/staff/desk",
        "/staff/batches",
        f"/staff/batches/{batch.id}",
        f"/staff/batches?words={hostile}",
    ):
        text = clerk.get(page).text
        assert "<script>" not in text, page
    policy = clerk.page.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'sha256-" in policy and "; script-src 'self'; " in policy


def test_a_desk_without_a_place_is_told_so(services: Services, desk: Desk) -> None:
    with services.make_session.begin() as db:
        db.add(make_site("away", make_library_network(slug="other-town"), ads_allowed=False))
    stranger = desk.at_work("eve", Role.DESK, networks=("wifilib",))
    assert "Nothing can be issued yet" in stranger.get("/staff/desk").text


def test_another_network_sees_none_of_it(clerk: Clerk, desk: Desk, services: Services) -> None:
    issue(clerk, "2", note="Salle-Zeta")
    batch, voucher = only_batch(services), "1-1"
    with services.make_session.begin() as db:
        db.add(make_site("away", make_library_network(slug="other-town"), ads_allowed=False))
    other = desk.at_work("eve", Role.DESK, networks=("other-town",))
    assert "Salle-Zeta" not in other.get("/staff/batches").text
    assert "Salle-Zeta" not in other.get("/staff/desk").text
    assert "Salle-Zeta" not in other.get("/staff/batches.csv").text
    assert other.get(f"/staff/batches/{batch.id}").status_code == 404
    other.get("/staff/desk")
    assert other.press("/staff/desk/find", wanted=voucher).location == "/staff/batches?words=1-1"


def test_a_plan_for_another_place_is_not_issued_here(clerk: Clerk, services: Services, db: Session) -> None:
    with services.make_session.begin() as writing:
        writing.add(Plan(slug="away", names={}, kind=PlanKind.UNTIL_MIDNIGHT, sites=["elsewhere"]))
    clerk.get("/staff/desk")
    answer = clerk.press("/staff/desk", plan="away", count="1")
    assert answer.status_code == 400
    assert "This kind of pass does not hold at this desk." in answer.text
    assert db.scalar(select(func.count(Voucher.id))) == 0


def test_lists_name_the_place_and_not_its_slug(clerk: Clerk, services: Services) -> None:
    issue(clerk)
    with services.make_session() as db:
        name = db.scalars(select(Site.name).where(Site.slug == "pierre-bayle")).one()
    for path in ("/staff/desk", "/staff/batches", f"/staff/batches/{only_batch(services).id}"):
        page = clerk.get(path).text
        assert f", {name}" in page and ", pierre-bayle" not in page, path


def test_a_long_batch_is_listed_to_its_last_pass(clerk: Clerk, services: Services) -> None:
    issue(clerk, "230")
    batch_id = only_batch(services).id
    first = clerk.get(f"/staff/batches/{batch_id}").text
    assert "Next ones" in first and f"{batch_id}-200<" in first and f"{batch_id}-201<" not in first
    link = re.search(rf'href="(/staff/batches/{batch_id}\?after=200)"', first)
    assert link is not None
    rest = clerk.get(link[1]).text
    assert f"{batch_id}-201<" in rest and f"{batch_id}-230<" in rest and "Next ones" not in rest


def test_the_menu_marks_where_one_is_in_any_language(clerk: Clerk, services: Services) -> None:
    issue(clerk)
    batch_id = only_batch(services).id
    for path in ("/staff/batches", f"/staff/batches/{batch_id}", f"/staff/batches/{batch_id}?lang=fr"):
        marked = re.findall(r'<a href="([^"]*)" aria-current=page>', clerk.get(path).text)
        assert [one.partition("?")[0] for one in marked] == ["/staff/batches"], path
    marked = re.findall(r'<a href="([^"]*)" aria-current=page>', clerk.get("/staff/overview").text)
    assert marked == ["/staff/overview"]
