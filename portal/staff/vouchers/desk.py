"""The desk: one pass in two keystrokes, a hundred in a few more. Codes are shown once, on the page that made them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from flask import session as browser_session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import reprints
from auth.staff.models import StaffAnswer
from auth.staff.roles import Action
from auth.vouchers import issuing, rate_limits, totals
from auth.vouchers.errors import VoucherError
from auth.vouchers.issuing import Order
from auth.vouchers.models import Batch, Plan
from auth.vouchers.scope import BatchQuery, desks, find_batches, network_for, offered_plans
from db.engine import reading
from portal.denials.rendering import Refusal, staff_page
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import source_of, use_form
from portal.staff.vouchers import print_choices
from portal.staff.vouchers.errors import (
    MOST_AT_THE_DESK,
    ForeignPlan,
    NoDesk,
    UnreadableCount,
    UnreadableDay,
    UnreadableFirstDay,
)
from portal.staff.vouchers.pages import closed_gateways
from portal.staff.vouchers.plan_words import end_in_words, plan_name
from portal.staff.vouchers.preferences import DESK, desk_preferences, keep
from portal.staff.vouchers.voucher_words import ESCPOS
from sites.models import Site
from sites.opening_hours import midnight_of, next_midnight


@dataclass(frozen=True, slots=True)
class DeskChoice:
    """What the clerk works with: plan and desk, the ones of last time first; no `site` where the clerk must choose."""

    plans: list[Plan]
    sites: list[Site]
    plan: Plan | None
    site: Site | None


@staff.get("/desk")
@needs(Action.ISSUE)
def desk() -> AnyResponse:
    return _desk_page(None)


@staff.post("/desk")
@needs(Action.ISSUE)
def issue() -> AnyResponse:
    service = services()
    try:
        count = _count()
        with service.make_session.begin() as db:
            chosen = _choice(db)
            if not request.form.get("desk"):
                raise NoDesk
            if chosen.plan is None or chosen.site is None:
                abort(HTTPStatus.NOT_FOUND)
            answer = use_form(db)
            batch = _issue(db, chosen.plan, chosen.site, count, answer)
            answer.batch_id, answer.count = batch.id, count
            answer.place = _place(answer.id)
            onward = redirect(answer.place, HTTPStatus.SEE_OTHER)
    except VoucherError as error:
        return _desk_page(staff_page(error))
    browser_session[DESK] = chosen.site.slug
    return keep(onward, replace(desk_preferences(), plan=chosen.plan.slug, desk=chosen.site.slug))


def _place(answer_id: int) -> str:
    """The page of the codes, or at once the one that prints itself, as this computer printed last."""
    habits = desk_preferences()
    if request.args.get("then") != "print" or habits.paper == ESCPOS:
        return url_for("staff.issued", answer_id=answer_id)
    return url_for("staff.sheet", answer_id=answer_id, **print_choices.shown(habits))  # type: ignore[arg-type]


def start_of_today() -> datetime:
    """The last local midnight."""
    local = services().clock().astimezone(town_zone())
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _issue(db: Session, plan: Plan, site: Site, count: int, answer: StaffAnswer) -> Batch:
    service, me = services(), current_staff()
    if network_for(plan, site, me.authority) is None:
        raise ForeignPlan
    order = Order(
        count=count,
        desk_site=site.slug,
        note=_line("note", 200),
        event=_line("event", 120),
        ends_at=_last_instant(site),
        starts_at=_first_instant(site),
    )
    made = issuing.issue(
        db,
        keys=service.voucher_keys,
        plan=plan,
        order=order,
        actor=me.actor,
        now=service.clock(),
        draw=source_of(answer).draw,
    )
    reprints.keep(
        db,
        made.batch,
        sealer=service.encrypted_tokens,
        key=source_of(answer).key,
        first=1,
        count=count,
        zone=site.tzinfo,
        now=service.clock(),
    )
    return made.batch


def _count() -> int:
    """How many passes are wanted. An empty field says one, so that any number can be typed over nothing."""
    text = request.form.get("count", "").strip() or "1"
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= MOST_AT_THE_DESK:
        raise UnreadableCount
    return int(text)


def _last_instant(site: Site) -> datetime | None:
    """The midnight that ends the last day, where one was given."""
    text = request.form.get("last_day", "").strip()
    if not text:
        return None
    try:
        noon = datetime.fromisoformat(text[:10]).replace(hour=12, tzinfo=site.tzinfo)
        return next_midnight(noon, site.tzinfo)
    except (ValueError, OverflowError) as error:
        raise UnreadableDay from error


def _first_instant(site: Site) -> datetime | None:
    """The midnight that begins the first day, where one was given."""
    text = request.form.get("first_day", "").strip()
    if not text:
        return None
    try:
        return midnight_of(date.fromisoformat(text[:10]), site.tzinfo)
    except (ValueError, OverflowError) as error:
        raise UnreadableFirstDay from error


def _line(name: str, longest: int) -> str:
    """One line of text without control characters."""
    kept = "".join(sign if sign.isprintable() else " " for sign in request.form.get(name, ""))
    return " ".join(kept.split())[:longest]


def _choice(db: Session) -> DeskChoice:
    authority = current_staff().authority
    plans, sites = offered_plans(db, authority), desks(db, authority)
    plan = request.form.get("plan") or desk_preferences().plan
    if request.method == "POST":
        # What was posted is taken at its word, or not at all.
        return DeskChoice(
            plans,
            sites,
            next((one for one in plans if one.slug == plan), None),
            next((one for one in sites if one.slug == request.form.get("desk")), None),
        )
    return DeskChoice(
        plans,
        sites,
        next((one for one in plans if one.slug == plan), plans[0] if plans else None),
        _usual_desk(sites),
    )


def _usual_desk(sites: list[Site]) -> Site | None:
    """Where passes are issued unless the clerk says otherwise: the desk of this sign-in, the account's home library,
    the desk of this computer, or the only one there is. None: the clerk chooses, and nothing is issued in the name of
    whichever library comes first.
    """
    of_slug = {one.slug: one for one in sites}
    known = (browser_session.get(DESK, ""), current_staff().home_site, desk_preferences().desk)
    usual = next((of_slug[slug] for slug in known if slug in of_slug), None)
    return sites[0] if usual is None and len(sites) == 1 else usual


@staff.post("/desk/codes")
@needs(Action.ISSUE)
def hear_codes_again() -> AnyResponse:
    """Clear the rate limit for wrong codes at the gateways where it is reached."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        rate_limits.open_again(db, closed_gateways(db), actor=me.actor, now=service.clock())
    return redirect(url_for("staff.desk"), HTTPStatus.SEE_OTHER)


def _desk_page(refusal: Refusal | None) -> AnyResponse:
    now = services().clock()
    with reading(services().make_session) as db:
        query = BatchQuery(since=start_of_today(), most=100)
        today = find_batches(db, query, current_staff().authority)
        chosen = _choice(db)
        page = render_template(
            "staff/desk.html",
            refusal=refusal,
            chosen=chosen,
            typed=request.form,
            today=today,
            closed=closed_gateways(db),
            books=totals.every_books(db, at=now, batch_ids=[batch.id for batch in today]),
            plan_name=plan_name,
            end_of=lambda plan: end_in_words(
                plan, plan.ends_at, chosen.site.zone if chosen.site else town_zone().key
            ),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)
