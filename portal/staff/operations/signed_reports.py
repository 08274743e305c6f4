"""Reports signed off: the list, each version as a page and as files, and the signing itself."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import REPORT_MADE, ObjectKind
from auth.staff.roles import Action
from db.engine import reading
from portal.reports import making, numbers
from portal.reports.making import ReportFormat
from portal.services import Services, services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.operations import report_queries
from sessions.access_audit import looked
from sessions.statistics import signed, stored
from sessions.statistics.signed import SignedReport, Signing
from sites import queries

VERSION = "<int(max=2147483647):version_id>"
TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf", "zip": "application/zip"}


@staff.get("/reports/signed")
@needs(Action.REPORT)
def signed_reports() -> AnyResponse:
    with reading(services().make_session) as db:
        names = {network.slug: network.name for network in queries.networks(db)}
        versions = signed.versions(db, current_staff().authority)
        about = {one.id: ", ".join(names.get(slug, slug) for slug in one.networks) for one in versions}
        page = render_template("staff/signed_reports.html", versions=versions, about=about, span=numbers.span)
    return make_response(page)


@staff.post("/reports/sign")
@needs(Action.REPORT)
def sign_report() -> AnyResponse:
    """Sign the report off that the form names. Raises `UnfinishedReport`."""
    asked, service = report_queries.sent(), services()
    if not asked.is_readable:
        abort(HTTPStatus.BAD_REQUEST)
    report = making.load(service, asked.period, asked.networks)
    person = current_staff()
    signing = Signing(person.actor, person.name, service.settings.portal_url, service.signer)
    with service.make_session.begin() as db:
        answer = use_form(db)
        version = signed.sign(db, report, networks=asked.networks, signing=signing, now=service.clock())
        answer.place = url_for("staff.signed_report", version_id=version.id)
        return redirect(answer.place, HTTPStatus.SEE_OTHER)


@staff.get(f"/reports/signed/{VERSION}")
@needs(Action.REPORT)
def signed_report(version_id: int) -> AnyResponse:
    service = services()
    with reading(service.make_session) as db:
        version = _find(db, version_id)
        report = stored.read(version.numbers)
        page = render_template(
            "staff/signed_report.html",
            version=version,
            document=making.compose(service, report, frozenset(version.networks), version),
            is_unchanged=signed.is_unchanged(version, service.signer),
            drawing=Markup,
        )
    return make_response(page)


@staff.get(f"/reports/signed/{VERSION}/<any(pdf,csv,zip):form>")
@needs(Action.REPORT)
def signed_report_file(version_id: int, form: str) -> AnyResponse:
    """A version as a file. Who took one away is in the audit log."""
    service = services()
    with reading(service.make_session) as db:
        version = _find(db, version_id)
    content = _package(service, version) if form == "zip" else _written(service, version, form)
    with service.make_session.begin() as db:
        looked(
            db,
            REPORT_MADE,
            ObjectKind.REPORT.named(version.id),
            actor=current_staff().actor,
            detail={"from": str(version.first), "to": str(version.last), "form": form},
            now=service.clock(),
        )
    response = make_response(content)
    response.headers["Content-Type"] = TYPES[form]
    name = f"wifi-{version.first}-{version.last}-v{version.id}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _written(service: Services, version: SignedReport, form: str) -> bytes:
    report = stored.read(version.numbers)
    return making.write(service, report, ReportFormat(form), frozenset(version.networks), version)


def _package(service: Services, version: SignedReport) -> bytes:
    """What anybody can check without this portal: `openssl pkeyutl -verify`, then `sha256sum`."""
    files = {
        "statement.json": version.statement,
        "statement.sig": version.signature,
        "numbers.json": version.numbers,
        "public-key.pem": service.signer.public_key(),
    }
    out, at = io.BytesIO(), version.signed_at.astimezone(UTC).timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def _find(db: Session, version_id: int) -> SignedReport:
    version = signed.find(db, version_id, current_staff().authority)
    if version is None:
        abort(HTTPStatus.NOT_FOUND)
    return version
