"""Whoever does it and by whichever way, the audit log says the same of it: the desk, the API and the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from auth.vouchers.models import Voucher
from portal.services import Services
from tests.portal.api.conftest import Program, give_token
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.issuing import issue

pytestmark = pytest.mark.usefixtures("two_towns")


@pytest.fixture
def clerk(desk: Desk) -> Clerk:
    return desk.at_work("cem", Role.DESK, networks=("bibliotheques",))


@pytest.fixture
def program(app: Flask, services: Services) -> Program:
    return Program(app, give_token(services, networks=("bibliotheques",)).token)


def run(app: Flask, *words: object) -> None:
    done = app.test_cli_runner().invoke(args=["vouchers", *map(str, words)])
    assert done.exit_code == 0, done.output


def entries_since(services: Services, number: int) -> list[AuditEntry]:
    with services.make_session() as db:
        return list(
            db.scalars(select(AuditEntry).where(AuditEntry.number > number).order_by(AuditEntry.number))
        )


def answer(services: Services, do: Callable[[], Any]) -> list[tuple[str, str, str | None, dict[str, Any]]]:
    """What the audit log says of it, but for who and when."""
    with services.make_session() as db:
        before = max(db.scalars(select(AuditEntry.number)), default=0)
    do()
    return [(one.action, one.object, one.network, one.detail) for one in entries_since(services, before)]


def two_passes(services: Services, clerk: Clerk) -> tuple[int, list[int]]:
    """A batch of two new passes: its number, and the ids of the two."""
    issue(clerk, "2")
    with services.make_session() as db:
        last = db.scalars(select(Voucher).order_by(Voucher.id.desc()).limit(2)).all()
        return last[0].batch_id, [one.id for one in reversed(last)]


def as_of_one(entry: tuple[str, str, str | None, dict[str, Any]], batch: int, passes: list[int]) -> object:
    """The entry with the numbers of this batch taken out, so that those of three batches compare."""
    action, object, network, detail = entry
    names = {f"batch:{batch}": "the batch", f"pass:{passes[0]}": "the pass"}
    plain = {
        name: value.replace(f"{batch}-", "B-") if isinstance(value, str) else value
        for name, value in detail.items()
    }
    return action, names[object], network, plain


ACTS: dict[str, tuple[str, str, list[str], tuple[str, str, dict[str, Any]]]] = {
    # The form on the desk's page, the operation of the API, the words on the command line, and the entry of all three.
    "revoke": (
        "/staff/passes/{id}/revoke",
        "/passes/{mark}/revoke",
        ["revoke", "{mark}"],
        ("pass revoked", "the pass", {"mark": "B-1", "sessions": 0}),
    ),
    "void": (
        "/staff/passes/{id}/void",
        "/passes/{mark}/void",
        ["void", "{mark}", "--reason", "lost"],
        ("pass voided", "the pass", {"mark": "B-1", "reason": "lost"}),
    ),
    "replace": (
        "/staff/passes/{id}/replace",
        "/passes/{mark}/replace",
        ["replace", "{mark}"],
        ("pass replaced", "the pass", {"mark": "B-1", "new": "B-3"}),
    ),
    "revoke a batch": (
        "/staff/batches/{batch}/revoke",
        "/batches/{batch}/revoke",
        ["revoke", "{batch}"],
        ("batch revoked", "the batch", {"passes": 2, "sessions": 0}),
    ),
    "void a batch": (
        "/staff/batches/{batch}/void",
        "/batches/{batch}/void",
        ["void", "{batch}"],
        ("unused passes voided", "the batch", {"passes": 2, "reason": "unused"}),
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_each_front_writes_the_same_entry(
    app: Flask, services: Services, clerk: Clerk, program: Program, act: str
) -> None:
    form, operation, words, (action, object, detail) = ACTS[act]
    seen = []
    for front in ("desk", "program", "command line"):
        batch, passes = two_passes(services, clerk)
        names = {"id": passes[0], "mark": f"{batch}-1", "batch": batch}
        body = {"reason": "lost"} if act == "void" else None

        def do(front: str = front, names: dict[str, Any] = names, body: Any = body) -> None:
            if front == "desk":
                page = (
                    f"/staff/passes/{names['id']}" if "{id}" in form else f"/staff/batches/{names['batch']}"
                )
                question = form.format(**names) if "{batch}" in form else page
                clerk.get(question)
                clerk.press(form.format(**names), **(body or {}))
                assert clerk.page.status_code == 303, clerk.page.text
            elif front == "program":
                assert program.post(operation.format(**names), body or {}).status_code in (200, 201)
            else:
                run(app, *(word.format(**names) for word in words))

        seen.append([as_of_one(entry, batch, passes) for entry in answer(services, do)])
    assert seen == [[(action, object, "bibliotheques", detail)]] * 3


def test_a_pass_taken_back_on_the_command_line_says_so_on_its_own_page(
    app: Flask, services: Services, clerk: Clerk
) -> None:
    batch, passes = two_passes(services, clerk)
    run(app, "revoke", f"{batch}-1")
    run(app, "void", f"{batch}-2")
    clerk.get(f"/staff/passes/{passes[0]}")
    assert "took a pass back" in clerk.page.text
    assert "command line" in clerk.page.text
    french = clerk.get(f"/staff/passes/{passes[0]}?lang=fr").text
    assert ">ligne de commande</a>" in french and ">command line<" not in french
    clerk.get(f"/staff/passes/{passes[1]}?lang=en")
    assert "wrote a pass off" in clerk.page.text


def test_a_pass_tells_what_was_done_to_its_whole_batch(app: Flask, services: Services, clerk: Clerk) -> None:
    batch, passes = two_passes(services, clerk)
    run(app, "suspend", batch)
    clerk.get(f"/staff/passes/{passes[0]}")
    assert "suspended a batch" in clerk.page.text


def test_batches_and_passes_taken_back_at_once_are_each_told(
    app: Flask, services: Services, clerk: Clerk
) -> None:
    one, _ = two_passes(services, clerk)
    other, passes = two_passes(services, clerk)
    said = answer(services, lambda: run(app, "revoke", one, f"{other}-1", f"{one}-2"))
    assert [(action, object) for action, object, _, _ in said] == [
        ("batch revoked", f"batch:{one}"),
        ("pass revoked", f"pass:{passes[0]}"),
    ]
    said = answer(services, lambda: run(app, "revoke", one, f"{other}-1", "--undo"))
    assert [(action, object) for action, object, _, _ in said] == [
        ("revocation undone", f"batch:{one}"),
        ("revocation undone", f"pass:{passes[0]}"),
    ]


def test_what_changed_nothing_is_not_told(app: Flask, services: Services, clerk: Clerk) -> None:
    batch, _ = two_passes(services, clerk)
    run(app, "revoke", f"{batch}-1")
    assert answer(services, lambda: run(app, "revoke", f"{batch}-1")) == []


def test_the_operator_is_named_where_sudo_tells_who_it_is(
    app: Flask, services: Services, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _ = two_passes(services, clerk)
    monkeypatch.setenv("SUDO_USER", "odile")
    run(app, "revoke", f"{batch}-1")
    assert [one.actor for one in entries_since(services, 0)][-1] == "odile (command line)"
    monkeypatch.delenv("SUDO_USER")
    run(app, "revoke", f"{batch}-2")
    assert [one.actor for one in entries_since(services, 0)][-1] == "command line"
