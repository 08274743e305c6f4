"""One worker of a rush: the real application in a process of its own, many phones with the same codes at once.

``python -m tests.portal.rush`` reads one JSON line with the database and, for each phone, its number and its code;
prints ``ready``, waits for another line, and prints for every phone that is answered one JSON line: its number, its
code, and the status it got.
"""

from __future__ import annotations

import json
import sys
import threading

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from config import Secret, Settings
from portal.app import create_app, make_services
from portal.services import Services
from sites.models import Gateway
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, SECRET, Phone


def main() -> None:
    task = json.loads(sys.stdin.readline())
    settings = Settings(secret_key=Secret(SECRET), portal_url=PORTAL, database_url=task["database_url"])
    services = make_services(settings, clock=MovingClock())
    app = create_app(services)
    phones = [(make_phone(app, services, number), number, code) for number, code in task["phones"]]
    for phone, _, _ in phones:
        phone.land()
    print("ready", flush=True)
    sys.stdin.readline()
    threads = [threading.Thread(target=rush, args=phone) for phone in phones]
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


def rush(phone: Phone, number: int, code: str) -> None:
    status = phone.press("/pass", code=code).status_code
    # In one write, so that lines of different threads stay apart.
    sys.stdout.write(json.dumps([number, code, status]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
