"""The answers of the API, each beside the schema that describes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from auth.vouchers import codes, totals
from auth.vouchers.issuing import IssuedVoucher
from auth.vouchers.models import Batch, Plan, PlanKind, VoidReason, Voucher
from auth.vouchers.states import voucher_now
from auth.vouchers.totals import Books, VoucherState
from portal.services import services
from sites.models import Site

Schema = dict[str, Any]


def _object(about: str, **properties: Schema) -> Schema:
    """Every field is always there."""
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(about: str) -> Schema:
    return {"type": "string", "description": about}


def _list(about: str, of: Schema) -> Schema:
    return {"type": "array", "description": about, "items": of}


def _instant(about: str, *, none: str | None = None) -> Schema:
    kind: Schema = {"type": "string", "format": "date-time"}
    if none is None:
        return {**kind, "description": about}
    return {"anyOf": [kind, {"type": "null"}], "description": f"{about} {none}"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_COUNT: Schema = {"type": "integer", "minimum": 0}
_MARK = {
    "type": "string",
    "pattern": "^[0-9]+-[0-9]+$",
    "description": "What stands on the ticket beside the code: 12-7 is the seventh pass of batch 12.",
}
_MARK_OR_NONE = {"anyOf": [{"type": "string", "pattern": "^[0-9]+-[0-9]+$"}, {"type": "null"}]}
_CELLS: Schema = {
    "type": "object",
    "description": "The text of each column, as a CSV has it.",
    "additionalProperties": {"type": "string"},
}
_STATES = [state.value for state in VoucherState]

SCHEMAS: dict[str, Schema] = {
    "Books": _object(
        "The books of a batch: printed = used + void + expired + left, always.",
        **dict.fromkeys(("printed", *_STATES), _COUNT),
    ),
    "Batch": _object(
        "Passes that were issued together.",
        batch={"type": "integer", "description": "Its number."},
        plan=_text("What its passes are worth."),
        desk=_text("The site where they are handed out; empty for the command line."),
        event=_text("What they are for."),
        note=_text("A note for the desk."),
        issued_at=_instant("When."),
        own={"type": "boolean", "description": "Whether this token issued it."},
        starts_at=_instant("The first instant of use.", none="Null: at once."),
        ends_at=_instant("The last instant of use.", none="Null: none."),
        suspended_at=_instant("Since when nobody more gets in with them.", none="Null: it is not suspended."),
        books=_ref("Books"),
    ),
    "Batches": _object(
        "Batches, the newest first.",
        batches=_list("One page of them.", _ref("Batch")),
        before={
            "anyOf": [{"type": "integer"}, {"type": "null"}],
            "description": "What to ask for next, as ?before=. Null: there are no older ones.",
        },
    ),
    "NewPass": _object(
        "A pass with its code, which is told in this answer alone.",
        mark=_MARK,
        code={"type": "string", "pattern": "^[2-9A-HJKMNP-Z]{3}(-[2-9A-HJKMNP-Z]{3}){2}$"},
        link=_text("What the QR on a ticket says: it opens the page where the pass is redeemed."),
    ),
    "IssuedBatch": _object(
        "A new batch, and its passes in the order of their numbers.",
        batch=_ref("Batch"),
        passes=_list("As many as were asked for.", _ref("NewPass")),
    ),
    "Pass": _object(
        "One pass. Its code is kept nowhere.",
        mark=_MARK,
        batch={"type": "integer"},
        plan=_text("What it is worth."),
        state={
            "type": "string",
            "enum": _STATES,
            "description": "Where the books count it, once and for ever.",
        },
        good={"type": "boolean", "description": "Whether its code lets somebody in now."},
        issued_at=_instant("When."),
        used_at=_instant("Its first use.", none="Null: nobody has used it."),
        until=_instant("Its end.", none="Null: its first use decides."),
        voided_at=_instant("When it was written off, replaced or revoked.", none="Null: it was not."),
        void_reason={"enum": [*(reason.value for reason in VoidReason), None]},
        replaces=_MARK_OR_NONE,
        replaced_by=_MARK_OR_NONE,
    ),
    "ReplacedPass": _object(
        "The pass that takes the place of another one.",
        replaced=_ref("Pass"),
        passes=_list("One.", _ref("NewPass")),
    ),
    "Plans": _object(
        "What this token may issue.",
        plans=_list(
            "Every plan that holds at one desk at least.",
            _object(
                "What a pass is worth.",
                plan=_text("What to order it by."),
                names={"type": "object", "additionalProperties": {"type": "string"}},
                kind={"type": "string", "enum": [kind.value for kind in PlanKind]},
                minutes=_COUNT,
                devices=_COUNT,
                ends_at=_instant("The calendar end.", none="Null: none."),
                desks=_list("The sites where it may be handed out.", _text("A site.")),
            ),
        ),
    ),
    "Records": _object(
        "All records of one kind that belong to the token's networks.",
        kind=_text("Which kind."),
        records=_list("Each with its columns.", _CELLS),
    ),
    "Table": {"type": "string", "description": "CSV (RFC 4180): the first line names the columns."},
    "PutRecord": _object(
        "The record as it is now.",
        key=_text("Its name."),
        outcome={"type": "string", "enum": ["created", "changed", "unchanged"]},
        cells=_CELLS,
        cautions=_list("What is to be known of it, though nothing is wrong.", _text("One sentence.")),
        credential={
            "type": ["string", "null"],
            "description": "What a new gateway signs in with: told in this answer alone.",
        },
    ),
    "OpenAPI": {"type": "object", "description": "This description.", "required": ["openapi", "paths"]},
}


def instant(at: datetime | None) -> str | None:
    """An instant as RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def batch_answer(batch: Batch, books: Books, *, actor: str) -> dict[str, Any]:
    return {
        "batch": batch.id,
        "plan": batch.plan.slug,
        "desk": batch.desk_site,
        "event": batch.event,
        "note": batch.note,
        "issued_at": instant(batch.issued_at),
        "own": batch.issued_by == actor,
        "starts_at": instant(batch.starts_at),
        "ends_at": instant(batch.ends_at),
        "suspended_at": instant(batch.suspended_at),
        "books": {name: getattr(books, name) for name in ("printed", *_STATES)},
    }


def batch_now(db: Session, batch: Batch, *, actor: str) -> dict[str, Any]:
    """A batch with its books as they stand."""
    return batch_answer(batch, totals.books(db, batch.id, at=services().clock()), actor=actor)


def new_pass_answer(ticket: IssuedVoucher) -> dict[str, Any]:
    link = f"{services().settings.portal_url}/pass/{ticket.code}"
    return {"mark": ticket.mark, "code": codes.show(ticket.code), "link": link}


def pass_answer(db: Session, voucher_id: int) -> dict[str, Any]:
    """A pass as it is now, with the marks of its family."""
    now = services().clock()
    found = voucher_now(db, voucher_id, now=now)
    voucher, batch = found.voucher, found.voucher.batch
    return {
        "mark": voucher.mark,
        "batch": batch.id,
        "plan": batch.plan.slug,
        "state": found.state,
        "good": _is_good(voucher, batch, now),
        "issued_at": instant(voucher.issued_at),
        "used_at": instant(voucher.used_at),
        "until": instant(voucher.until),
        "voided_at": instant(voucher.voided_at),
        "void_reason": voucher.void_reason.value if voucher.void_reason else None,
        "replaces": found.replaces.mark if found.replaces else None,
        "replaced_by": found.replaced_by.mark if found.replaced_by else None,
    }


def plan_answer(plan: Plan, sites: list[Site]) -> dict[str, Any]:
    return {
        "plan": plan.slug,
        "names": plan.names,
        "kind": plan.kind.value,
        "minutes": plan.length_minutes,
        "devices": plan.devices,
        "ends_at": instant(plan.ends_at),
        "desks": [site.slug for site in sites],
    }


def _is_good(voucher: Voucher, batch: Batch, now: datetime) -> bool:
    ends = [end for end in (voucher.until, batch.ends_at) if end is not None]
    if batch.starts_at is not None and now < batch.starts_at:
        return False
    return voucher.voided_at is None and batch.suspended_at is None and all(end > now for end in ends)
