"""From the codes on the page to paper: seen first, printed on what the desk has, in the visitor's languages."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from auth.vouchers.models import Voucher
from portal.printing import typesetter
from portal.printing.papers import Paper
from portal.services import Services
from sites.models import Site
from tests.clock import MovingClock
from tests.portal.printing.printed import read_codes, read_text, squeezed
from tests.portal.staff.conftest import Clerk, Desk, attribute
from tests.portal.staff.issuing import CODE, deeds, issue

PRINT, PREVIEW = "/staff/desk/print", "/staff/desk/preview"
PICTURE = re.compile(r'<img class="sheet[^>]*src="data:image/svg\+xml;base64,([^"]+)"')


def preview(clerk: Clerk, **choices: str) -> str:
    """Press the preview button; the picture, as SVG."""
    clerk.post(PREVIEW, **{**clerk.form(PRINT), **choices})
    assert clerk.follow().status_code == 200, clerk.page.text
    (picture,) = PICTURE.findall(clerk.page.text)
    return base64.b64decode(picture).decode()


def chosen(clerk: Clerk) -> list[str]:
    """What stands in the form: the selected options, and what the fields hold."""
    form = clerk.page.text[clerk.page.text.index('class="print"') :]
    options = re.findall(r'<option[^>]*value="(\w+)" selected', form)
    return options + [
        attribute(tag, "value") for tag in re.findall(r'<input id="(?:right|down)"[^>]*>', form)
    ]


def test_the_page_that_issued_prints_and_no_other_does(
    clerk: Clerk, desk: Desk, services: Services, clock: MovingClock
) -> None:
    issue(clerk, "2")
    form = clerk.form(PRINT)
    receipt = clerk.post(PRINT, **form, paper="escpos")
    assert receipt.status_code == 200 and receipt.data.startswith(b"\x1b@")
    other = desk.at_work("eve", Role.DESK)
    other.get("/staff/desk")
    stolen = {**form, "form": other.form("/staff/desk/find")["form"]}
    assert other.post(PRINT, **stolen, paper="escpos").status_code == 410
    other.post(PREVIEW, **stolen, paper="escpos")
    assert other.follow().status_code == 410
    assert deeds(services) == ["passes issued", "slips printed"]


def test_a_jam_hours_later_costs_no_ticket(clerk: Clerk, clock: MovingClock) -> None:
    """The codes can be printed for as long as the sign-in lasts, and afterwards the refusal says what can be done."""
    (code,) = issue(clerk)
    place = clerk.page.request.path
    form = clerk.form(PRINT)
    clock.advance(hours=7)
    assert code in read_text(clerk.post(PRINT, **form, paper="receipt").data)
    clerk.get("/staff/desk")
    clerk.press("/staff/signout")
    clerk.sign_in()
    former = clerk.get(place)
    assert former.status_code == 410 and code not in former.text
    assert "shown only while the sign-in that made it lasts" in former.text


def test_the_sheet_is_a_pdf(clerk: Clerk) -> None:
    issue(clerk, "2")
    pdf = clerk.press(PRINT, paper="a4")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF")


@pytest.mark.parametrize("paper", [*(paper.value for paper in Paper), "escpos"])
def test_every_paper_is_seen_before_it_is_printed(clerk: Clerk, services: Services, paper: str) -> None:
    """The page is the one that issued, codes and all; nothing more is issued, and nothing printed."""
    codes = issue(clerk, "3")
    assert preview(clerk, paper=paper).startswith("<svg ")
    assert list(dict.fromkeys(CODE.findall(clerk.page.text))) == codes
    assert f'<option value="{paper}" selected>' in clerk.page.text
    assert clerk.form(PRINT)["answer"]
    assert deeds(services) == ["passes issued"]
    with services.make_session() as db:
        assert db.scalar(select(func.count(Voucher.id))) == 3


def test_the_preview_is_the_very_page_to_be_printed(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One job for the press, asked for as SVG first and as PDF then."""
    jobs: list[dict[str, object]] = []
    write = typesetter.write_job

    def note(job: typesetter.Job) -> dict[str, object]:
        jobs.append(write(job))
        return write(job)

    monkeypatch.setattr(typesetter, "write_job", note)
    issue(clerk, "2")
    choices = {
        "paper": "l7163",
        "language": "en",
        "second": "fr",
        "first_free": "3",
        "right": "1,5",
        "down": "-2",
    }
    preview(clerk, **choices)
    clerk.press(PRINT, **choices)
    seen, printed = jobs
    assert (seen.pop("form"), printed.pop("form")) == ("svg", "pdf")
    assert {**seen, "title": ""} == {**printed, "title": ""}
    assert (seen["first_free"], seen["offset_mm"]) == (2, (1.5, -2.0))


def test_a_receipt_printers_preview_is_drawn_from_its_bytes(clerk: Clerk) -> None:
    (code, *_) = issue(clerk, "2")
    picture = preview(clerk, paper="escpos", language="en", second="")
    assert f">{code}</text>" in picture and "Open your pass" in picture and "Ouvrir" not in picture
    assert "2 pages" in clerk.page.text


def test_tickets_speak_the_languages_that_were_chosen(clerk: Clerk, services: Services) -> None:
    issue(clerk)
    text = read_text(clerk.press(PRINT, paper="receipt", language="en", second="fr").data)
    assert "Ouvrir votre pass" in text and "Open your pass" in text
    issue(clerk)
    alone = read_text(clerk.press(PRINT, paper="receipt", language="en", second="en").data)
    assert alone.count("Open your pass") == 1
    with services.make_session() as db:
        printed = select(AuditEntry.detail).where(AuditEntry.action == "slips printed")
        details = db.scalars(printed.order_by(AuditEntry.number)).all()
    assert details[0] == {"count": 1, "paper": "receipt", "languages": ["en", "fr"]}
    assert details[1]["languages"] == ["en"]


def test_tickets_are_offered_in_the_towns_languages(clerk: Clerk, services: Services) -> None:
    issue(clerk)
    for code in services.settings.languages:
        assert clerk.page.text.count(f'<option lang="{code}" value="{code}"') == 2
    form = clerk.form(PRINT)
    assert clerk.post(PRINT, **form, paper="a4", language="zz").status_code == 400


def test_a_begun_sheet_and_a_printer_that_prints_beside(clerk: Clerk, tmp_path: Path) -> None:
    issue(clerk)
    choices = {"paper": "l7163", "first_free": "14"}
    (straight,) = read_codes(clerk.press(PRINT, **choices).data, tmp_path)
    issue(clerk)
    (moved,) = read_codes(clerk.press(PRINT, **choices, right="2,5", down="−1").data, tmp_path)
    before, after = min(straight, key=lambda code: code.x), min(moved, key=lambda code: code.x)
    assert before.x > 99.1 and before.y > 240
    assert after.x - before.x == pytest.approx(2.5, abs=0.2)
    assert after.y - before.y == pytest.approx(-1, abs=0.2)


def test_the_computer_remembers_how_its_printer_prints(clerk: Clerk) -> None:
    """For the next one who signs in there, too; a number of labels used is no habit."""
    issue(clerk)
    clerk.press(PRINT, paper="l7160", language="en", second="", first_free="4", right="0.5", down="-1")
    issue(clerk)
    assert chosen(clerk) == ["l7160", "en", "0.5", "-1"]
    assert 'name="first_free" value=""' in clerk.page.text
    preview(clerk, paper="escpos", language="fr", second="en")
    clerk.press("/staff/signout")
    clerk.sign_in()
    issue(clerk)
    assert chosen(clerk) == ["escpos", "fr", "en", "0.5", "-1"]


@pytest.mark.parametrize("path", [PRINT, PREVIEW])
@pytest.mark.parametrize(
    ("choices", "field", "advice"),
    [
        ({"paper": "papyrus"}, "paper", "Choose from the list."),
        ({"paper": "a4", "language": "eo"}, "language", "Choose from the list."),
        ({"paper": "l7160", "large": "on"}, "large", "take A4 or a receipt"),
        ({"paper": "l7163", "first_free": "15"}, "first_free", "from 1 to 14"),
        ({"paper": "l7163", "first_free": "0"}, "first_free", "from 1 to 14"),
        ({"paper": "l7163", "first_free": "٣"}, "first_free", "from 1 to 14"),
        ({"paper": "a4", "right": "a little"}, "right", "10 at most"),
        ({"paper": "a4", "down": "10.1"}, "down", "10 at most"),
        ({"paper": "a4", "down": "nan"}, "down", "10 at most"),
    ],
)
def test_what_cannot_be_printed_is_told_at_its_field_and_the_codes_stay(
    clerk: Clerk, services: Services, path: str, choices: dict[str, str], field: str, advice: str
) -> None:
    codes = issue(clerk, "2")
    answer = clerk.post(path, **{**clerk.form(PRINT), "language": "fr", **choices})
    if path == PREVIEW:
        answer = clerk.follow()
    assert answer.status_code == 400
    assert "<title>Error:" in answer.text and f'href="#{field}"' in answer.text and advice in answer.text
    assert f'id="{field}"' in answer.text and "aria-invalid=true" in answer.text
    assert list(dict.fromkeys(CODE.findall(answer.text))) == codes
    assert deeds(services) == ["passes issued"]


def test_a_receipt_has_no_first_free_label(clerk: Clerk) -> None:
    issue(clerk)
    assert clerk.press(PRINT, paper="receipt", first_free="20").data.startswith(b"%PDF")


def test_while_the_press_is_busy_the_codes_stay(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = issue(clerk)
    monkeypatch.setattr(typesetter, "QUEUE_SECONDS", 0.01)
    with typesetter._press:
        answer = clerk.post(PRINT, **clerk.form(PRINT), paper="a4")
    assert answer.status_code == 503 and code in answer.text
    assert "Print again in a minute" in answer.text


def test_the_visitors_camera_finds_the_wifi_and_the_pass_on_the_screen(clerk: Clerk) -> None:
    issue(clerk)
    assert clerk.page.text.count('<svg class="code"') == 2
    assert "1. Join the wifi BIBLIOTHEQUES" in clerk.page.text and "2. Open the pass" in clerk.page.text


def test_a_replacement_says_so_on_its_preview_too(clerk: Clerk, services: Services) -> None:
    issue(clerk)
    with services.make_session() as db:
        voucher = db.scalars(select(Voucher)).one()
    clerk.get(f"/staff/passes/{voucher.id}")
    clerk.press(f"/staff/passes/{voucher.id}/replace")
    clerk.follow()
    preview(clerk, paper="receipt")
    assert f"This pass replaces no. {voucher.mark}." in clerk.page.text


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_screen_and_ticket_tell_the_same_last_moment(clerk: Clerk, lang: str) -> None:
    issue(clerk, "1", last_day="2026-11-29")
    form = clerk.form(PRINT)
    last = {"fr": "jusqu’à dimanche 29 novembre 23:59", "en": "until Sunday 29 November 23:59"}[lang]
    clerk.post(f"{PREVIEW}?lang={lang}", **form, paper="a4")
    clerk.follow()
    assert last in html.unescape(clerk.page.text)
    for paper in ("a4", "l7160", "l7163", "l7651", "receipt"):
        pdf = clerk.post(PRINT, **form, paper=paper, language=lang)
        assert squeezed(last) in squeezed(read_text(pdf.data)), paper


def test_labels_that_would_cut_the_event_are_refused_in_words(clerk: Clerk, services: Services) -> None:
    issue(
        clerk,
        "2",
        event="Rencontre internationale des bibliothèques de quartier et des médiathèques de la région",
    )
    form = clerk.form(PRINT)
    for path in (PREVIEW, PRINT):
        page = clerk.post(path, **form, paper="l7651")
        page = clerk.follow() if path == PREVIEW else page
        assert page.status_code == 400 and "would cut off the event" in page.text
    assert "slips printed" not in deeds(services)
    assert clerk.post(PRINT, **form, paper="a4").mimetype == "application/pdf"


def test_the_preview_says_what_has_no_room(clerk: Clerk, services: Services) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Site).values(name="Médiathèque et centre de documentation " * 3))
    issue(clerk, "1", event="Nuit de la lecture", last_day="2026-11-29")
    preview(clerk, paper="l7160", language="fr", second="en")
    assert "There is no room on this paper for all of this: the place." in clerk.page.text
    preview(clerk, paper="a4")
    assert "There is no room" not in clerk.page.text
