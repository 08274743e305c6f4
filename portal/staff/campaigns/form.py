"""A campaign on one page: typed, checked with everything that is wrong with it at once, saved as a draft, changed."""

from __future__ import annotations

from http import HTTPStatus

from flask import jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads import advertisers, drafting, places
from ads.drafting import CampaignReading, UnfitDraft
from ads.errors import ChangedCampaign, TakenSlug, UnfitField, WrongCampaignState
from auth.denials import Denial
from auth.staff.roles import Action, covers
from db.engine import reading
from portal.denials.rendering import Refusal, staff_page
from portal.i18n.catalogues import name_of
from portal.i18n.labels import kinds_in_words
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.campaigns.campaign_words import categories
from portal.staff.campaigns.pages import find_or_hide
from portal.staff.campaigns.phones import PhonePreview, framed, phones_of, sample_message
from portal.staff.campaigns.typed import Form, empty_form, form_of, keys_of, spoken_of
from portal.staff.forms import use_form
from sites import queries
from sites.models import SiteKind


@staff.get("/new-campaign")
@needs(Action.ADS)
def new_campaign() -> AnyResponse:
    with reading(services().make_session) as db:
        return _page(db, "", empty_form())


@staff.post("/new-campaign")
@needs(Action.ADS)
def draft_campaign() -> AnyResponse:
    """Save it as a draft, with its advertiser where that one is new."""
    try:
        with services().make_session.begin() as db:
            answer = use_form(db)
            saved = drafting.save_new(db, _read(db), actor=current_staff().actor, now=services().clock())
            answer.place = url_for("staff.campaign", slug=saved.slug)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except (UnfitDraft, TakenSlug) as error:
        return _again("", error)


@staff.get("/campaigns/<slug>/edit")
@needs(Action.ADS)
def edit_campaign(slug: str) -> AnyResponse:
    with reading(services().make_session) as db:
        return _page(db, slug, form_of(find_or_hide(db, slug)))


@staff.post("/campaigns/<slug>/edit")
@needs(Action.ADS)
def change_campaign(slug: str) -> AnyResponse:
    """Change a draft, as long as nobody else has since it was shown."""
    place = url_for("staff.campaign", slug=slug)
    try:
        with services().make_session.begin() as db:
            find_or_hide(db, slug)
            use_form(db, place=place)
            me, now = current_staff(), services().clock()
            drafting.save(db, slug, _read(db), revision=_revision(), actor=me.actor, now=now)
    except (UnfitDraft, ChangedCampaign, WrongCampaignState, TakenSlug) as error:
        return _again(slug, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


@staff.post("/new-campaign/check")
@needs(Action.ADS)
def check_new_campaign() -> AnyResponse:
    """What is wrong with it as it is typed; nothing is saved."""
    return _check("")


@staff.post("/campaigns/<slug>/check")
@needs(Action.ADS)
def check_campaign(slug: str) -> AnyResponse:
    """The same of a draft that is there."""
    return _check(slug)


def _check(slug: str) -> AnyResponse:
    """As a page, and to a script as JSON."""
    with reading(services().make_session) as db:
        if slug:
            find_or_hide(db, slug)
        checked = _read(db)
        if request.accept_mimetypes.best == "application/json":
            return jsonify(
                faults=[_told(one) for one in checked.faults],
                phone="".join(one.html for one in _phones(db, checked)),
            )
        return _page(db, slug, request.form, checked=checked)


def _told(fault: Denial) -> dict[str, object]:
    """A fault for the script. What the law says is told also of fields that nobody has come to yet."""
    refusal, is_law = staff_page(fault), not isinstance(fault, UnfitField)
    return {
        "field": refusal.field,
        "text": f"{refusal.title} {refusal.text}" if is_law else refusal.title,
        "law": is_law,
    }


def _read(db: Session, typed: Form | None = None) -> CampaignReading:
    return drafting.read(
        db,
        (request.form if typed is None else typed).to_dict(flat=False),
        zone=town_zone(),
        languages=services().settings.languages,
        networks=current_staff().authority.networks,
        now=services().clock(),
    )


def _revision() -> int:
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _again(slug: str, error: UnfitDraft | Denial) -> AnyResponse:
    """The form with what was typed, and what is wrong: with its fields, or with all of it."""
    with reading(services().make_session) as db:
        checked = _read(db)
        if isinstance(error, Denial):
            refusal = staff_page(error)
            return make_response(_page(db, slug, request.form, refusal=refusal), refusal.status)
        return make_response(_page(db, slug, request.form, checked=checked), HTTPStatus.BAD_REQUEST)


def _page(
    db: Session,
    slug: str,
    typed: Form,
    *,
    checked: CampaignReading | None = None,
    refusal: Refusal | None = None,
) -> AnyResponse:
    authority, languages = current_staff().authority, services().settings.languages
    phones = _phones(db, checked or _read(db, typed))
    faults = [staff_page(one) for one in checked.faults] if checked else []
    page = render_template(
        "staff/campaign_form.html",
        slug=slug,
        typed=typed,
        keys=keys_of(typed, more="more" in request.form),
        spoken=spoken_of(typed, languages),
        refusal=refusal,
        checked=checked,
        faults=faults,
        wrong_by={one.field: one for one in reversed(faults)},
        near=staff_page(checked.near) if checked and checked.near else None,
        advertisers=advertisers.every(db),
        categories=categories(),
        networks=[(one.slug, one.name) for one in queries.networks(db) if covers(authority, one.slug)],
        sites=queries.site_names(db).items(),
        kinds=[(kind.value, kinds_in_words(kind)) for kind in SiteKind],
        tongues={code: name_of(code) for code in languages},
        longest=drafting.LONGEST,
        phones=phones,
    )
    return framed(make_response(page), phones)


def _phones(db: Session, checked: CampaignReading) -> list[PhonePreview]:
    """Its first message on a phone, at the first of its places that shows ads; none where no place does."""
    message = drafting.first_message(checked) or sample_message(checked)
    there = places.every(db, networks=current_staff().authority.networks)
    place = next((one for one in there if one.has(message.campaign)), None)
    return phones_of(message, place, services().settings.languages[0])[:1]
