"""The same order sent many times at once, through two applications: one batch, one answer."""

from __future__ import annotations

import threading

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.vouchers.models import Batch, Voucher
from portal.app import create_app
from portal.services import Services
from tests.portal.api.conftest import Program

SENDERS = 8


def test_an_order_sent_many_times_at_once_is_carried_out_once(
    app: Flask, services: Services, tickets: Program, db: Session
) -> None:
    """Whoever loses the race waits for the winner's answer and gets it too; nobody gets an error of ours."""
    programs = [Program(app, tickets.token), Program(create_app(services), tickets.token)]
    start, answers = threading.Barrier(SENDERS), []

    def send(number: int) -> None:
        start.wait()
        answers.append(programs[number % 2].order(20, key="order-1"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 503}
    result = [answer.get_json()["passes"] for answer in answers if answer.status_code == 201]
    assert result and all(one == result[0] for one in result)
    replayed = [answer.headers["Idempotency-Replayed"] for answer in answers if answer.status_code == 201]
    assert replayed.count("false") == 1
    assert (db.scalar(select(func.count(Batch.id))), db.scalar(select(func.count(Voucher.id)))) == (1, 20)
    assert db.scalar(select(func.count()).where(AuditEntry.action == "passes issued")) == 1


def test_a_ticket_replaced_many_times_at_once_is_replaced_once(
    app: Flask, services: Services, tickets: Program, db: Session
) -> None:
    mark = tickets.order().get_json()["passes"][0]["mark"]
    start, answers = threading.Barrier(SENDERS), []

    def send() -> None:
        start.wait()
        answers.append(Program(app, tickets.token).post(f"/passes/{mark}/replace", key="lost-1"))

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert (
        len({answer.get_json()["passes"][0]["code"] for answer in answers if answer.status_code == 201}) == 1
    )
    assert db.scalar(select(func.count(Voucher.id))) == 2
