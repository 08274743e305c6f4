"""Anchors of the audit log in the folder that AROBASE_ANCHOR_FOLDER names: one an hour, while there are new deeds."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from pathlib import Path

from auth.audit import anchors
from auth.audit.anchors import Anchor
from db.engine import reading
from portal.services import Services

log = logging.getLogger(__name__)

FILE = "arobase-anchors.txt"
EVERY = timedelta(hours=1)


def write_checkpoint(service: Services) -> Anchor | None:
    """Leave an anchor where one is due; None where none is. A folder that is away is said, and tried again."""
    folder = service.settings.anchor_folder
    if folder is None:
        return None
    try:
        return _leave(service, folder / FILE)
    except OSError as error:
        log.warning("audit log anchor not written to %s: %s", folder, error.strerror)
        return None


def append(path: Path, text: str) -> None:
    """Add `text` to a file, and come back when it is on the disk. What was not finished before stays apart."""
    with path.open("ab") as file:
        file.write(b"\n" + text.encode() if file.tell() else text.encode())
        file.flush()
        os.fsync(file.fileno())


def _leave(service: Services, path: Path) -> Anchor | None:
    written = service.anchors.read(path.read_text(encoding="utf-8")).anchors if path.exists() else ()
    last = written[-1] if written else None
    now = service.clock()
    if last is not None and last.at <= now < last.at + EVERY:
        return None
    with reading(service.make_session) as db:
        anchor = anchors.present(db, portal=service.settings.portal_host, now=now)
    if anchor is None or (last is not None and last.number == anchor.number):
        return None
    append(path, service.anchors.text(anchor))
    return anchor
