"""What the groups of the town's directory may do here, with a look at who would get what before it is kept."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.staff import directory_accounts, group_grants
from auth.staff.directory_accounts import Change
from auth.staff.errors import NoDirectory, StaffError
from auth.staff.models import GroupGrant
from auth.staff.roles import Action, Authority, Role
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.accounts.networks import networks_chosen, networks_of_mine
from portal.staff.forms import use_form


@staff.get("/groups")
@needs(Action.ACCOUNTS, confirmed=True, town_wide=True)
def groups() -> AnyResponse:
    return _page(None)


@staff.post("/groups")
@needs(Action.ACCOUNTS, confirmed=True, town_wide=True)
def grant_group() -> AnyResponse:
    """Show who would get what; with `keep`, let it be so."""
    service = services()
    try:
        with service.make_session.begin() as db:
            drafted = group_grants.draft(db, _issuer(), request.form.get("group", ""), _authority())
            if "keep" not in request.form:
                would = group_grants.with_draft(group_grants.read(db, _issuer()), drafted)
                return _page(None, changes=directory_accounts.changes(db, _issuer(), would))
            use_form(db, place=url_for("staff.groups"))
            group_grants.put(db, drafted, actor=current_staff().actor, now=service.clock())
            directory_accounts.apply(db, _issuer(), now=service.clock())
    except StaffError as error:
        return _page(error)
    return redirect(url_for("staff.groups"), HTTPStatus.SEE_OTHER)


@staff.post("/groups/<int(max=2147483647):grant_id>/remove")
@needs(Action.ACCOUNTS, confirmed=True, town_wide=True)
def revoke_group(grant_id: int) -> AnyResponse:
    """Show who would lose what; with `keep`, let it be so."""
    service = services()
    with service.make_session.begin() as db:
        if "keep" not in request.form:
            grants = group_grants.read(db, _issuer())
            gone = next((one for one in grants if one.id == grant_id), None)
            left = [one for one in grants if one.id != grant_id]
            return _page(None, changes=directory_accounts.changes(db, _issuer(), left), gone=gone)
        use_form(db, place=url_for("staff.groups"))
        actor, now = current_staff().actor, service.clock()
        group_grants.remove(db, _issuer(), grant_id, actor=actor, now=now)
        directory_accounts.apply(db, _issuer(), now=now)
    return redirect(url_for("staff.groups"), HTTPStatus.SEE_OTHER)


def _issuer() -> str:
    """The directory that answers for staff. Raises `NoDirectory`."""
    found = services().settings.staff_issuer
    if found is None:
        raise NoDirectory
    return found


def _authority() -> Authority:
    roles = frozenset(role for role in Role if role.value in request.form.getlist("roles"))
    return Authority(roles, networks_chosen())


def _typed() -> Authority:
    roles = frozenset(role for role in Role if role.value in request.form.getlist("roles"))
    return Authority(roles, frozenset(request.form.getlist("networks")))


def _page(
    error: StaffError | None, *, changes: list[Change] | None = None, gone: GroupGrant | None = None
) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = _rendered(db, refusal=refusal, changes=changes, gone=gone)
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _rendered(db: Session, **shown: object) -> str:
    issuer = services().settings.staff_issuer
    return render_template(
        "staff/groups.html",
        issuer=issuer,
        grants=group_grants.read(db, issuer) if issuer else [],
        grantable=group_grants.GRANTABLE,
        networks=networks_of_mine(db),
        group=request.form.get("group", "")[: group_grants.LONGEST_GROUP],
        wanted=_typed(),
        reach=request.form.get("reach", ""),
        **shown,
    )
