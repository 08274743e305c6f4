"""The picture of a message, handed in on its campaign's page."""

from __future__ import annotations

import html
import io
import re

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads import campaigns
from ads.models import Creative, CreativeKind
from auth.audit.log import AuditEntry
from auth.staff.models import StaffAnswer
from auth.staff.roles import Role
from portal.http.application import LARGEST_FORM
from portal.http.security_headers import LARGEST_UPLOAD
from portal.services import Services
from sites.images.models import ImageFile
from tests.ads.campaigns import AUTHOR, make_draft
from tests.clock import NOON
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

ACTION = "/staff/campaigns/bread/picture"
ALT = {"alt-fr": "Un pain", "alt-en": "A loaf"}


def picture(colour: str = "brown") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (800, 450), colour).save(written, "JPEG")
    return written.getvalue()


@pytest.fixture
def writer(desk: Desk, db: Session) -> Clerk:
    """Somebody of the role, who looks at a draft."""
    make_draft(db)
    db.commit()
    clerk = desk.at_work("cy", Role.ADS)
    clerk.get("/staff/campaigns/bread")
    return clerk


def hand_in(clerk: Clerk, content: bytes, name: str = "bread.jpg", **fields: str) -> int:
    form = clerk.form(ACTION)
    answer = clerk.post(ACTION, **{**form, **ALT, **fields, "picture": (io.BytesIO(content), name)})
    return answer.status_code


def the_message(services: Services) -> Creative:
    with services.make_session() as db:
        return db.scalars(select(Creative)).one()


def files(services: Services) -> int:
    with services.make_session() as db:
        return db.scalar(select(func.count(ImageFile.name))) or 0


def test_it_is_shown_with_the_message_and_taken_away_again(writer: Clerk, services: Services) -> None:
    assert hand_in(writer, picture()) == 303
    message = the_message(services)
    assert message.kind is CreativeKind.STILL and message.texts["fr"]["alt"] == "Un pain"
    assert files(services) > 0
    writer.get("/staff/campaigns/bread")
    assert "Shown with it" in writer.page.text
    writer.press("/staff/campaigns/bread/text-alone")
    assert the_message(services).kind is CreativeKind.TEXT and files(services) == 0
    with services.make_session() as db:
        of_bread = select(AuditEntry).where(AuditEntry.object == "campaign:bread")
        deeds = db.scalars(of_bread.order_by(AuditEntry.number)).all()
        assert [one.actor for one in deeds[1:]] == ["cy", "cy"]


def test_the_preview_shows_it_and_what_stands_in_its_place(writer: Clerk, town: Town) -> None:
    hand_in(writer, picture())
    page = writer.get("/staff/campaigns/bread/preview?spoken=fr").text
    *shown, without = [html.unescape(one) for one in re.findall(r'srcdoc="([^"]*)"', page)]
    assert len(shown) == 3 and "Un pain" in without
    assert all("/images/" in one and "/images/none" not in one for one in shown)
    assert set(re.findall(r"/images/[^\s\"',]+", without)) == {"/images/none"}


def test_what_is_no_picture_is_refused_in_words_and_the_words_stay(writer: Clerk, services: Services) -> None:
    for content, name in ((b"<svg/>", "bread.svg"), (b"", ""), (picture()[:400], "bread.jpg")):
        assert hand_in(writer, content, name) in (400, 422)
        assert "Un pain" in writer.page.text
        # The refusal leads to its field.
        assert 'href="#picture"' in writer.page.text and ' id="picture"' in writer.page.text
        writer.get("/staff/campaigns/bread")
    assert hand_in(writer, picture(), **{"alt-fr": ""}) in (400, 409, 422)
    assert "does not say" in writer.page.text
    assert the_message(services).kind is CreativeKind.TEXT and files(services) == 0


def test_another_picture_of_the_same_form_is_another_wish(writer: Clerk, services: Services) -> None:
    """Back to the page that the browser kept, another file chosen."""
    form = writer.form(ACTION)
    media = []
    for colour in ("brown", "brown", "white"):
        fields = {**form, **ALT, "picture": (io.BytesIO(picture(colour)), "bread.jpg")}
        assert writer.post(ACTION, **fields).status_code == 303
        media.append(the_message(services).media)
    assert media[0] == media[1] != media[2]
    with services.make_session() as db:
        # The second press of the first wish did nothing.
        assert db.scalar(select(func.count(StaffAnswer.id))) == 2


def test_a_message_of_another_campaign_is_none_of_this_page(
    writer: Clerk, services: Services, db: Session
) -> None:
    make_draft(db, "cake")
    db.commit()
    assert hand_in(writer, picture(), message="cake-1") == 404
    assert files(services) == 0


def test_a_campaign_that_was_proposed_keeps_what_it_has(
    writer: Clerk, services: Services, db: Session
) -> None:
    form = writer.form(ACTION)
    campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)
    db.commit()
    fields = {**form, **ALT, "picture": (io.BytesIO(picture()), "bread.jpg")}
    assert writer.post(ACTION, **fields).status_code == 409
    assert files(services) == 0


def test_strangers_send_no_more_than_a_form(writer: Clerk, desk: Desk) -> None:
    """Of a stranger the portal reads nothing beyond what any form may have; of staff nothing beyond a picture."""
    form, large = writer.form(ACTION), b"x" * (2 * LARGEST_FORM)

    def sent(clerk: Clerk, content: bytes) -> int:
        return clerk.post(ACTION, **{**form, "picture": (io.BytesIO(content), "bread.jpg")}).status_code

    assert sent(desk.hire("nobody", Role.ADS), large) == 413
    assert sent(desk.at_work("eve", Role.DESK), large) == 413
    assert sent(writer, large) in (400, 422)
    kind = "multipart/form-data; boundary=x"
    whole = writer.browser.post(
        ACTION, data=bytes(LARGEST_UPLOAD + 1), content_type=kind, base_url=writer.base_url
    )
    assert whole.status_code == 413
