"""The audit trail, for those who answer for it: who did what, to what, when."""

from __future__ import annotations

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth import trail as records
from auth.staff_policy import Action
from db.engine import reading
from portal.services import services
from portal.staff import staff
from portal.staff.access import needs, older_than, whoever

MOST = 50


@staff.get("/trail")
@needs(Action.TRAIL)
def trail() -> AnyResponse:
    query = records.Query(
        actor=request.args.get("actor", "").strip()[:80],
        object=request.args.get("object", "").strip()[:80],
        before=older_than(),
        most=MOST + 1,
    )
    with reading(services().make_session) as db:
        entries = records.read(db, query, networks=whoever().authority.networks)
    page = render_template("staff/trail.html", query=query, entries=entries[:MOST], older=len(entries) > MOST)
    return make_response(page)
