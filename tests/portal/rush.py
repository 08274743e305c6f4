"""A rush: many phones with the same codes at once, dealt out to processes that run the real application.

The processes are forked from one that has imported the application: to import it takes each of them two seconds.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import cast

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from config import Secret, Settings
from portal.app import create_app, make_services
from portal.services import Services
from sites.models import Gateway
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, SECRET, Phone

WORKERS = 4
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])

# The number of a phone, and the code that is typed into it.
Guest = tuple[int, str]
Answers = dict[Guest, int]
Tell = Callable[[object], None]


def rush(database_url: str, guests: list[Guest], *, killed_after: int | None = None) -> Answers:
    """All phones at once; what status each got.

    With `killed_after` each worker is killed as soon as it has given so many answers, whatever else it is doing, and
    the last of them is lost on its way. The phones that got none are missing.
    """
    workers = [Worker(database_url, guests[place::WORKERS]) for place in range(WORKERS)]
    try:
        for one in workers:
            assert one.line.recv() == "ready"
        for one in workers:
            one.line.send("go")
        return _listen(workers, killed_after)
    finally:
        for one in workers:
            one.end()


class Worker:
    """One process of the portal, and the phones that ask it."""

    def __init__(self, database_url: str, guests: list[Guest]) -> None:
        self.line, far_end = FORKS.Pipe()
        self.process = FORKS.Process(target=work, args=(far_end, database_url, guests))
        self.process.start()
        far_end.close()

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.line.close()


def _listen(workers: list[Worker], killed_after: int | None) -> Answers:
    answers: Answers = {}
    open_lines = {one.line: one for one in workers}
    heard = dict.fromkeys(open_lines, 0)
    while open_lines:
        for line in cast(list[Connection], wait(list(open_lines))):
            try:
                number, code, status = line.recv()
            except EOFError:
                del open_lines[line]
                continue
            heard[line] += 1
            if heard[line] == killed_after:
                open_lines[line].process.kill()
            else:
                answers[number, code] = status
    return answers


def work(line: Connection, database_url: str, guests: list[Guest]) -> None:
    """Land every phone, say "ready", wait for a word, and tell for each phone its number, its code and its status."""
    settings = Settings(secret_key=Secret(SECRET), portal_url=PORTAL, database_url=database_url)
    services = make_services(settings, clock=MovingClock())
    app = create_app(services)
    phones = [(make_phone(app, services, number), number, code) for number, code in guests]
    for phone, _, _ in phones:
        phone.land()
    one_at_a_time = threading.Lock()

    def tell(what: object) -> None:
        with one_at_a_time:
            line.send(what)

    tell("ready")
    line.recv()
    threads = [threading.Thread(target=ask, args=(*phone, tell)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.wake.close()
    services.engine.dispose()


def make_phone(app: Flask, services: Services, number: int) -> Phone:
    with services.make_session() as db:
        gateway = db.scalars(
            select(Gateway)
            .where(Gateway.identity == "gw-bayle")
            .options(joinedload(Gateway.site), joinedload(Gateway.network))
        ).one()
    return Phone(app, gateway, f"02:00:00:01:00:{number:02x}", f"10.68.0.{number + 10}")


def ask(phone: Phone, number: int, code: str, tell: Tell) -> None:
    """Type the code, unless the portal says at once that this phone is in: the answer that told it so was lost."""
    led_on = phone.page.request.path in ("/opening", "/status")
    tell((number, code, 303 if led_on else phone.press("/pass", code=code).status_code))
