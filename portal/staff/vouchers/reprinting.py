"""Unused passes of an earlier batch opened again, and codes taken away: as a file, or by e-mail to one person."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth import reprints
from auth.staff.models import StaffAnswer
from auth.staff.roles import Action
from auth.vouchers import audit, codes
from auth.vouchers.issuing import IssuedVoucher
from db.engine import reading
from portal import mail
from portal.denials.rendering import staff_page
from portal.i18n.translation import say
from portal.mail import MailError, Message, UncertainDelivery, WrongRecipient
from portal.printing.tickets import PrintedVoucher
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.vouchers.errors import NothingToReprint, UnsentMail, WrongAddress
from portal.staff.vouchers.new_codes import NewVouchers, new_codes_page, shown_by, tickets_of
from portal.staff.vouchers.pages import answer_id, csv_file, find_or_hide
from sites.import_export.tables import write_table


@staff.post("/batches/<int(max=2147483647):batch_id>/reprint")
@needs(Action.ISSUE)
def reprint(batch_id: int) -> AnyResponse:
    """To the page of the passes that are left, as if they had just been issued. It is on record."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        batch, now = find_or_hide(db, batch_id), service.clock()
        answer = use_form(db)
        left = reprints.unused(
            db, batch_id, sealer=service.encrypted_tokens, keys=service.voucher_keys, now=now
        )
        if not left:
            raise NothingToReprint
        reprints.record(db, batch, count=len(left), actor=me.actor, now=now)
        answer.batch_id = batch_id
        answer.place = url_for("staff.issued", answer_id=answer.id)
        return redirect(answer.place, HTTPStatus.SEE_OTHER)


@staff.post("/desk/codes.csv")
@needs(Action.ISSUE)
def codes_csv() -> AnyResponse:
    """The codes of the page as a file, for whoever hands them out at an event. It is on record."""
    service = services()
    with service.make_session.begin() as db:
        shown = shown_by(db, answer_id())
        audit.codes_exported(
            db, shown.batch, count=len(shown.tickets), actor=current_staff().actor, now=service.clock()
        )
        headings = (say("Number"), say("Code"), say("Address"))
        lines = ((one.mark, codes.show(one.code), _link(one)) for one in shown.tickets)
        rows = (dict(zip(headings, line, strict=True)) for line in lines)
        table = write_table(list(headings), rows, excel=True)
    return csv_file(table, f"codes-{shown.batch.id}.csv")


@staff.post("/desk/mail")
@needs(Action.ISSUE)
def mail_pass() -> AnyResponse:
    """One pass to one person. The address is kept nowhere; no transaction waits for the mail server."""
    service = services()
    with service.make_session.begin() as db:
        shown = shown_by(db, answer_id())
        mark = request.form.get("mark", "")
        chosen = [one for one in shown.tickets if one.mark == mark] or list(shown.tickets[:1])
        language = request.form.get("language", "")
        spoken = language if language in service.settings.languages else service.settings.languages[0]
        (ticket,) = tickets_of(db, NewVouchers(shown.answer_id, shown.batch, tuple(chosen)), (spoken,))
        sending = use_form(db, place=_place(shown, "asked")).id
    try:
        if service.settings.smtp is None:
            raise MailError("AROBASE_SMTP_URL is not set")
        mail.send(service.settings.smtp, _message(ticket, spoken), now=service.clock())
    except MailError as error:
        refusal = (
            WrongAddress()
            if isinstance(error, WrongRecipient)
            else UnsentMail(uncertain=isinstance(error, UncertainDelivery))
        )
        with service.make_session.begin() as db:
            db.get_one(StaffAnswer, sending).place = _place(shown, "failed")
        with reading(service.make_session) as db:
            return new_codes_page(db, shown, refusal=staff_page(refusal), to=request.form.get("to", "")[:254])
    with service.make_session.begin() as db:
        me, place = current_staff(), _place(shown, "sent")
        db.get_one(StaffAnswer, sending).place = place
        audit.pass_mailed(db, shown.batch, mark=chosen[0].mark, actor=me.actor, now=service.clock())
    return redirect(place, HTTPStatus.SEE_OTHER)


def _place(shown: NewVouchers, result: str) -> str:
    """The page of the codes, and what has become of the message: a second press is told no more than is known."""
    return url_for("staff.issued", answer_id=shown.answer_id, mail=result)


def _message(ticket: PrintedVoucher, language: str) -> Message:
    """What the ticket says, in the visitor's language."""
    words = ticket.words[language]
    subject = f"{words.wifi} · {services().settings.town}"
    lines = (
        ticket.place,
        ticket.event,
        ticket.code,
        f"{words.join}: {ticket.ssid}",
        f"{words.redeem}: {ticket.redeem_url.lower().rpartition('/')[0]}/{ticket.code.replace('-', '')}",
        words.end,
        words.by_hand,
        ticket.number,
    )
    text = "\n\n".join(line for line in lines if line)
    return Message(request.form.get("to", "").strip(), subject, f"{text}\n")


def _link(one: IssuedVoucher) -> str:
    return f"{services().settings.portal_url}/pass/{one.code}"
