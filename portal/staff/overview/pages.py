"""The first page of staff: what is broken first, then the state of today; each role sees its own."""

from __future__ import annotations

from flask import make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.trouble_words import advice_of, path_of, severity_in_words, title_of
from sessions.troubles.service import kind_of, open_troubles, sweep_silence


@staff.get("/overview")
@needs(Action.OWN_ACCOUNT)
def overview() -> AnyResponse:
    now, authority = services().clock(), current_staff().authority
    with reading(services().make_session) as db:
        silence = sweep_silence(db, now=now)
        troubles = [*([silence] if silence else []), *open_troubles(db, authority=authority)]
    page = render_template(
        "staff/overview.html",
        troubles=troubles,
        kind_of=kind_of,
        title_of=title_of,
        advice_of=advice_of,
        path_of=path_of,
        severity_in_words=severity_in_words,
    )
    return make_response(page)
