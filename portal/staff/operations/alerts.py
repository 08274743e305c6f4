"""Who is told of troubles: listed, written down, tried, taken off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.denials import N_, Denial, declare
from auth.staff.roles import Action
from db.engine import reading
from portal.alerts import sending, trial
from portal.denials.rendering import staff_page
from portal.i18n.translation import language, speaking, whole_languages
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.trouble_words import severity_in_words, title_of
from sessions.alerts import messages, recipients
from sessions.alerts.errors import ListedAddress, UnfitAddress, UnfitQuietHours
from sessions.alerts.models import Recipient
from sessions.alerts.quiet_hours import write_time
from sessions.alerts.recipients import Wish
from sessions.troubles.kinds import KINDS, Severity


@dataclass(eq=False)
class UndeliveredTrial(Denial):
    """The message of a trial did not get through."""

    reason = declare(
        "alert_not_delivered",
        HTTPStatus.BAD_GATEWAY,
        N_("The trial message did not get through."),
        N_("It was refused with these words: %(why)s. Alerts go the same way: mend it before one is needed."),
    )
    why: str


@staff.get("/alerts")
@needs(Action.ALERTS, town_wide=True)
def alerts() -> AnyResponse:
    return _page(None)


@staff.post("/alerts")
@needs(Action.ALERTS, town_wide=True)
def add_recipient() -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.alerts"))
            recipients.add(db, _wish(), actor=current_staff().actor, now=services().clock())
    except (UnfitAddress, ListedAddress, UnfitQuietHours) as error:
        return _page(error)
    return redirect(url_for("staff.alerts"), HTTPStatus.SEE_OTHER)


@staff.post("/alerts/<int(max=2147483647):recipient_id>/remove")
@needs(Action.ALERTS, town_wide=True)
def remove_recipient(recipient_id: int) -> AnyResponse:
    with services().make_session.begin() as db:
        use_form(db, place=url_for("staff.alerts"))
        found = recipients.find(db, recipient_id) or abort(HTTPStatus.NOT_FOUND)
        recipients.remove(db, found, actor=current_staff().actor, now=services().clock())
    return redirect(url_for("staff.alerts"), HTTPStatus.SEE_OTHER)


@staff.post("/alerts/<int(max=2147483647):recipient_id>/test")
@needs(Action.ALERTS, town_wide=True)
def try_recipient(recipient_id: int) -> AnyResponse:
    with reading(services().make_session) as db:
        found = recipients.find(db, recipient_id) or abort(HTTPStatus.NOT_FOUND)
        address, spoken = found.address, found.language
    with speaking(spoken):
        subject, text = trial.subject(), trial.text()
    try:
        sending.by_mail(services(), address, subject, text)
    except sending.Undelivered as error:
        return _page(UndeliveredTrial(str(error)))
    return redirect(url_for("staff.alerts", tried=recipient_id), HTTPStatus.SEE_OTHER)


@staff.post("/alerts/webhook/test")
@needs(Action.ALERTS, town_wide=True)
def try_webhook() -> AnyResponse:
    webhook = sending.webhook_of(services()) or abort(HTTPStatus.NOT_FOUND)
    try:
        trial.post(webhook)
    except sending.Undelivered as error:
        return _page(UndeliveredTrial(str(error)))
    return redirect(url_for("staff.alerts", tried="webhook"), HTTPStatus.SEE_OTHER)


def _wish() -> Wish:
    form = request.form
    spoken = form.get("language", "")
    return Wish(
        address=form.get("address", "").strip()[:300],
        language=spoken if spoken in whole_languages() else language(),
        least=next((one for one in Severity if one.value == form.get("least")), Severity.WAITING),
        quiet_from=form.get("quiet_from", "")[:20],
        quiet_until=form.get("quiet_until", "")[:20],
        woken_by_broken="woken_by_broken" in form,
    )


def _page(error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    service = services()
    webhook = sending.webhook_of(service)
    with reading(service.make_session) as db:
        everybody = recipients.every(db)
        page = render_template(
            "staff/alerts.html",
            refusal=refusal,
            recipients=everybody,
            webhook=webhook.host if webhook else None,
            has_mail=service.settings.smtp is not None,
            sent=[one for one in messages.recent(db) if one[1].kind in KINDS],
            names=_names(everybody),
            spoken=whole_languages(),
            severities=list(Severity),
            severity_in_words=severity_in_words,
            title_of=title_of,
            quiet=_quiet,
            typed=_wish(),
            tried=request.args.get("tried", ""),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _quiet(one: Recipient) -> tuple[str, str] | None:
    quiet = one.quiet
    return (write_time(quiet.begin), write_time(quiet.end)) if quiet else None


def _names(everybody: Sequence[Recipient]) -> dict[str, str]:
    return {f"mail:{one.id}": one.address for one in everybody}
