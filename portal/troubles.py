"""The round that looks for troubles: the detectors of every room and of this machine, one after the other."""

from __future__ import annotations

import logging
import shutil
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from auth.audit.log import AuditHead
from config.certificates import WARN_DAYS, served_days
from db.disk_reserve import reserve_of
from db.engine import reading
from portal import audit_anchors
from portal.services import Services
from sessions.alerts import messages
from sessions.troubles import detectors, kinds
from sessions.troubles.service import KEPT, Detector, Found, forget, record

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
# X509_V_ERR_HOSTNAME_MISMATCH of OpenSSL.
WRONG_NAME = 62
FULL_BELOW, LOW_BELOW, LOW_SHARE = 64 * MEGABYTE, 512 * MEGABYTE, 0.05
# An hour is the rule of anchors; a folder that was away for a moment is no trouble.
ANCHOR_AFTER = 3 * audit_anchors.EVERY
# A mail server that greylists takes the same message some minutes later.
UNDELIVERED_AFTER = timedelta(minutes=15)


class Rounds:
    """Looks, each at its own pace. What has just been looked at is left out."""

    def __init__(self) -> None:
        self._looked: dict[str, datetime] = {}

    def look(self, service: Services) -> None:
        """One round. A detector that fails is a trouble of its own, and what it had found stays."""
        now = service.clock()
        for detector in detectors_of(service):
            last = self._looked.get(detector.name)
            if last is not None and last <= now < last + detector.every:
                continue
            self._looked[detector.name] = now
            look_once(service, detector, now=now)
        with service.make_session.begin() as db:
            forget(db, before=now - KEPT)


def look_once(service: Services, detector: Detector, *, now: datetime) -> None:
    """Run one detector, and write down what it found, or that it failed."""
    failed: list[Found] = []
    try:
        with reading(service.make_session) as db:
            found = list(detector.find(db, now))
        with service.make_session.begin() as db:
            record(db, detector.kinds, found, now=now)
    except Exception as error:
        log.warning("troubles: %s could not be looked at: %s", detector.name, error, exc_info=True)
        failed = [Found(kinds.CHECK_FAILED, detector.name, now, detail={"why": type(error).__name__})]
    with service.make_session.begin() as db:
        record(db, (kinds.CHECK_FAILED,), failed, now=now, subject=detector.name)


def detectors_of(service: Services) -> tuple[Detector, ...]:
    """All of them, in the order of what they cost."""
    return (
        *detectors.DETECTORS,
        Detector("alerts", (kinds.ALERTS_UNDELIVERED,), _alerts),
        Detector("disk", (kinds.DISK_FULL, kinds.DISK_LOW), partial(_disk, service)),
        Detector("anchor", (kinds.ANCHOR_AGEING,), partial(_anchor, service)),
        Detector(
            "certificate",
            (kinds.CERTIFICATE_REFUSED, kinds.CERTIFICATE_AGEING, kinds.FRONT_UNREACHABLE),
            partial(_certificate, service),
            every=timedelta(hours=1),
        ),
    )


def _disk(service: Services, _db: Session, now: datetime) -> Iterator[Found]:
    """The disk of a SQLite database. PostgreSQL's own may be on another machine, and is watched there."""
    reserve = reserve_of(service.settings.database_url)
    if reserve is not None and (found := judge_disk(reserve.path.parent.absolute(), now=now)):
        yield found


def judge_disk(folder: Path, *, now: datetime, usage: tuple[int, int] | None = None) -> Found | None:
    """Whether the disk below `folder` fills up; `usage` is its size and what is free of it, in octets."""
    if usage is None:
        measured = shutil.disk_usage(folder)
        usage = measured.total, measured.free
    total, free = usage
    if free >= FULL_BELOW and free >= min(LOW_BELOW, total * LOW_SHARE):
        return None
    kind = kinds.DISK_FULL if free < FULL_BELOW else kinds.DISK_LOW
    return Found(kind, str(folder)[-160:], now, detail={"free": free // MEGABYTE})


def _anchor(service: Services, db: Session, now: datetime) -> Iterator[Found]:
    """Whether entries of the audit log wait for an anchor longer than they should."""
    folder = service.settings.anchor_folder
    head = db.get(AuditHead, 1)
    if folder is None or head is None or head.hash is None:
        return
    path, last = folder / audit_anchors.FILE, None
    with suppress(OSError, UnicodeError):
        written = service.anchors.read(path.read_text(encoding="utf-8")).anchors
        last = written[-1] if written else None
    if last is not None and (last.number == head.linked or now < last.at + ANCHOR_AFTER):
        return
    yield Found(kinds.ANCHOR_AGEING, str(folder)[-160:], last.at if last else now)


def _certificate(service: Services, _db: Session, now: datetime) -> Iterator[Found]:
    """The certificate that the front shows, asked as a phone does; `asked` is where it was seen."""
    parts = urlsplit(service.settings.portal_url)
    if parts.scheme != "https" or not parts.hostname:
        return
    host, port, own = parts.hostname, parts.port or 443, service.settings.front_address
    asked = host
    try:
        try:
            days = served_days(host, port, now=now)
        except ssl.SSLCertVerificationError:
            raise
        except OSError:
            # Behind a router that does not lead back to itself, the name answers everybody but this machine.
            asked = own
            days = served_days(host, port, now=now, address=own)
    except ssl.SSLCertVerificationError as error:
        if asked == host or error.verify_code != WRONG_NAME:
            detail = {"why": error.verify_message, "asked": asked}
            yield Found(kinds.CERTIFICATE_REFUSED, host, now, detail=detail)
        else:
            # Something else than the front listens there.
            yield Found(kinds.FRONT_UNREACHABLE, host, now, detail={"why": error.verify_message, "own": own})
    except OSError as error:
        detail = {"why": error.strerror or str(error), "own": own}
        yield Found(kinds.FRONT_UNREACHABLE, host, now, detail=detail)
    else:
        if days < WARN_DAYS:
            yield Found(kinds.CERTIFICATE_AGEING, host, now, detail={"days": days, "asked": asked})


def _alerts(db: Session, now: datetime) -> Iterator[Found]:
    """Whether alerts get through."""
    for target, (since, why) in messages.undelivered(db, before=now - UNDELIVERED_AFTER).items():
        yield Found(kinds.ALERTS_UNDELIVERED, target, since, detail={"why": why})
