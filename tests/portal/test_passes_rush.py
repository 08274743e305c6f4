"""Many phones type the same codes at the same instant, on four workers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.services import Services
from sessions.models import AccessSession, Lease
from tests.portal.visitors import issue, vouchers
from tests.town import Town

ROOT = Path(__file__).parents[2]
WORKERS, CLIENTS = 4, 64


def rush(database_url: str, codes: list[str]) -> Counter[tuple[str, int]]:
    """64 phones for each code, dealt out to the workers; how often each code got each status."""
    phones = [(number, codes[number // CLIENTS]) for number in range(CLIENTS * len(codes))]
    with ExitStack() as stack:
        workers = [stack.enter_context(worker()) for _ in range(WORKERS)]
        stack.callback(lambda: [one.kill() for one in workers])
        for place, one in enumerate(workers):
            tell(one, json.dumps({"database_url": database_url, "phones": phones[place::WORKERS]}))
        for one in workers:
            assert hear(one) == "ready"
        for one in workers:
            tell(one, "go")
        answers = [answer for one in workers for answer in json.loads(hear(one))]
    return Counter((code, status) for code, status in answers)


def worker() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.portal.rush"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def tell(worker: subprocess.Popen[str], line: str) -> None:
    assert worker.stdin
    worker.stdin.write(line + "\n")
    worker.stdin.flush()


def hear(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout
    return worker.stdout.readline().strip()


def test_64_clients_at_once_get_exactly_the_places_there_are(
    services: Services, town: Town, database_url: str, db: Session
) -> None:
    """Case V1: nobody more than the plan allows, and no error page for the others."""
    single, triple = issue(services).codes[0], issue(services, plan="24h", devices=3).codes[0]
    answers = rush(database_url, [single, triple])
    assert answers == {(single, 303): 1, (single, 409): 63, (triple, 303): 3, (triple, 409): 61}
    open_ones = select(func.count(AccessSession.id)).where(AccessSession.ended_at.is_(None))
    assert (db.scalar(open_ones), db.scalar(select(func.count(Lease.id)))) == (4, 4)
    assert all(voucher.used_at for voucher in vouchers(db))
