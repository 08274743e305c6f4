"""Backups of SQLite, and putting one back: on a copy first, so that nothing taken away since comes back alive."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from auth.audit import database as audit
from auth.audit import signatures
from auth.audit.signatures import AuditSeals
from config import Secret
from db import copies
from db.engine import make_engine, make_session_maker, reading
from portal.cli.database import to_newest_shape
from portal.cli.operator import operator
from sessions import restoring
from sessions.restoring import Restored


class UnreadableBefore(Exception):
    """The database as it was cannot be read: nobody knows what was taken away since."""


class NoBackup(Exception):
    """The file is no whole database of ours."""


def revive(
    engine: Engine, *, secret: Secret, before_url: str | None, gateways_kept: bool, now: datetime
) -> Restored:
    """Take away again, in a database that was put back, what was taken away since; `before_url` None: nobody knows.

    Raises `UnreadableBefore`.
    """
    to_newest_shape(engine, secret)
    make_session = make_session_maker(engine)
    make_session.configure(info={signatures.INFO: AuditSeals(secret)})
    with make_session.begin() as db:
        if before_url is None:
            done = restoring.close_all(db, gateways_too=not gateways_kept, now=now)
        else:
            with _before(before_url) as before:
                done = restoring.carry_over(db, before, now=now)
        details: dict[str, str | int] = {
            f"{name} changed": many for name, many in done.changed.items() if many
        }
        details |= {f"{name} missing": many for name, many in done.missing.items() if many}
        details |= {
            "known": "no" if before_url is None else "yes",
            "entries carried over": done.audit_entries,
        }
        audit.restored(db, details, actor=operator(), now=now)
    return done


def put_back(
    path: Path, backup: Path, *, secret: Secret, lost: bool, gateways_kept: bool, now: datetime
) -> tuple[Restored, Path | None]:
    """Put a backup of SQLite in the place of the database at `path`; what was done, and where the one that was there
    lies now. Raises `NoBackup`, `UnreadableBefore`; the database at `path` is then as it was."""
    if not copies.is_whole(backup):
        raise NoBackup
    aside = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%S}")
    work = path.with_name(f"{path.name}.restoring")
    readable = copies.is_whole(path)
    if not readable and not lost:
        raise UnreadableBefore
    try:
        copies.copy(backup, work)
        if readable:
            copies.copy(path, aside)
        elif path.exists():
            path.rename(aside)
        engine = make_engine(f"sqlite:///{work}")
        try:
            before = None if lost else f"sqlite:///{aside}"
            done = revive(engine, secret=secret, before_url=before, gateways_kept=gateways_kept, now=now)
        finally:
            engine.dispose()
        copies.copy(work, path, over=True)
    finally:
        for suffix in ("", "-wal", "-shm"):
            work.with_name(work.name + suffix).unlink(missing_ok=True)
    return done, aside if aside.exists() else None


@contextmanager
def _before(url: str) -> Iterator[Session]:
    engine = make_engine(url)
    try:
        with reading(make_session_maker(engine)) as before:
            yield before
    except (DBAPIError, sqlite3.Error) as error:
        raise UnreadableBefore(str(error)) from error
    finally:
        engine.dispose()
