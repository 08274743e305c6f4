"""Records of what an installation is made of: read, and one row put in its place; judged as a form and a file are."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, abort, jsonify

from auth.api_tokens.scopes import Scope
from auth.records import visible
from db.engine import reading
from portal.api.access import current_token, wish
from portal.api.declaring import Operation, serve
from portal.api.problems import UNFIT, Problem
from portal.api.shapes import Body, Schema, ShapeFault, Truth
from portal.denials.portal_reasons import UNKNOWN
from portal.i18n.record_faults import reason_in_words
from portal.i18n.translation import say
from portal.records.kinds import RecordPages
from portal.records.registry import KINDS, cautions_of, kind_here
from portal.services import services
from sessions.consequences import WouldDisconnect, carry_out
from sites.errors import RefusedImport
from sites.import_export import export_records
from sites.import_export.records import current_cells
from sites.import_export.rows import Row, as_text

# Terms of use in several languages are longer than an order of passes.
LARGEST_RECORD = 256 * 1024


@dataclass(frozen=True, slots=True)
class CellsShape:
    """Values by column, as a file has them; a list stands for words with spaces between them."""

    about: str

    def schema(self) -> Schema:
        value = {"type": ["string", "number", "boolean", "null", "array"], "items": {"type": "string"}}
        return {"type": "object", "description": self.about, "additionalProperties": value}

    def read(self, value: object, field: str) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ShapeFault(field, say("It must be a JSON object."))
        cells = {}
        for name, cell in value.items():
            try:
                cells[name] = as_text(cell)
            except ValueError as error:
                reason = say("It must be a text, a number, true, false, null or a list of those.")
                raise ShapeFault(f"{field}/{name[:80]}", reason) from error
        return cells


@serve(
    Operation(
        "GET",
        "/records/<kind>",
        scope=Scope.READ_RECORDS,
        summary=f"All records of one kind: {', '.join(KINDS)}",
        gives="Records",
        problems=(UNKNOWN,),
    )
)
def read_records(kind: str) -> Response:
    records = visible(_pages(kind).kind, current_token().authority.networks)
    with reading(services().make_session) as db:
        return jsonify(kind=kind, records=list(current_cells(db, records).values()))


@serve(
    Operation(
        "GET",
        "/records/<kind>/csv",
        scope=Scope.READ_RECORDS,
        summary="The same as CSV, as an import takes it",
        gives="Table",
        media="text/csv",
        problems=(UNKNOWN,),
    )
)
def read_table(kind: str) -> Response:
    records = visible(_pages(kind).kind, current_token().authority.networks)
    with reading(services().make_session) as db:
        return Response(export_records(db, records), mimetype="text/csv")


@serve(
    Operation(
        "PUT",
        "/records/<kind>/<key>",
        scope=Scope.WRITE_RECORDS,
        summary="Add a record, or change the columns that are named; all others stay",
        gives="PutRecord",
        takes=Body(
            "RecordCells",
            {
                "cells": CellsShape("Values by column; the columns are those of the CSV."),
                "disconnect": Truth("Whether devices that the change leaves no place for are disconnected."),
            },
            ("cells",),
            {"cells": {"name": "Place Granvelle", "state": "live"}},
        ),
        largest=LARGEST_RECORD,
        problems=(UNKNOWN, WouldDisconnect.reason),
    )
)
def put_record(kind: str, key: str) -> Response:
    pages, me = _pages(kind), current_token()
    record = pages.kind.records
    asked, now = wish(), services().clock()
    row, agreed = Row("record", {**asked["cells"], record.key: key}), asked.get("disconnect", False)
    try:
        with services().make_session.begin() as db:
            if key in record.current(db) and key not in visible(pages.kind, me.authority.networks).current(
                db
            ):
                abort(HTTPStatus.NOT_FOUND)
            done = carry_out(db, kind_here(pages), [row], actor=me.actor, now=now, agreed=agreed)
            cells = current_cells(db, record)[key]
            cautions = [text for _, text in cautions_of(db, pages, [key])]
    except RefusedImport as error:
        raise _unfit(error) from error
    outcome = "created" if done.created else "changed" if done.changed else "unchanged"
    credential = done.credentials.get(key)
    return jsonify(key=key, outcome=outcome, cells=cells, cautions=cautions, credential=credential)


def _pages(kind: str) -> RecordPages:
    if kind not in KINDS:
        abort(HTTPStatus.NOT_FOUND)
    return KINDS[kind]


def _unfit(error: RefusedImport) -> Problem:
    """The first column that is wrong as the field, and all that is wrong as the advice."""
    told: list[Any] = [
        f"{fault.column} – {reason_in_words(fault)}" if fault.column else reason_in_words(fault)
        for fault in error.faults
    ]
    column = error.faults[0].column
    return Problem(UNFIT, "; ".join(told), f"/cells/{column}" if column else "/cells")
