"""Anchors: how far the audit log goes and with which hash, as a small text that leaves the machine.

Print it, mail it, keep it elsewhere: it proves later that the audit log up to there is unchanged
(`auth.audit.verification`). Its seal (HMAC-SHA-256, with a key of its own from the installation's secret) shows that
it is one of ours; the hash can be compared by eye as well.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from auth.audit.log import AuditHead
from config import Secret

TITLE = "Arobase audit trail anchor"
SEAL_DIGITS = 64
FIELDS = ("portal", "number", "hash", "time", "seal")


@dataclass(frozen=True, slots=True)
class Anchor:
    """Entry `number` of the audit log of `portal` had this hash at this time."""

    portal: str
    number: int
    hash: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class ParsedAnchors:
    """The anchors in a text, and how many were truncated or carry no valid signature."""

    anchors: tuple[Anchor, ...]
    unfinished: int = 0
    foreign: int = 0


class AnchorSeals:
    """Makes and reads anchors. One for each process."""

    def __init__(self, secret: Secret) -> None:
        self._key = hmac.new(secret.reveal().encode(), b"arobase trail anchor", "sha256").digest()

    def text(self, anchor: Anchor) -> str:
        """The anchor as five lines under a title, ended by an empty one."""
        lines = _lines(anchor)
        return "\n".join([*lines, f"seal: {self._seal(lines)}", "", ""])

    def read(self, text: str) -> ParsedAnchors:
        """The anchors in a text, which may be a mail that quotes them."""
        anchors, unfinished, foreign = [], 0, 0
        for fields in _blocks(text):
            if set(fields) != set(FIELDS) or len(fields["seal"]) < SEAL_DIGITS:
                unfinished += 1
                continue
            anchor = _anchor(fields)
            if anchor is None or not hmac.compare_digest(self._seal(_lines(anchor)), fields["seal"]):
                foreign += 1
            else:
                anchors.append(anchor)
        return ParsedAnchors(tuple(anchors), unfinished, foreign)

    def _seal(self, lines: list[str]) -> str:
        return hmac.new(self._key, "\n".join(lines).encode(), "sha256").hexdigest()


def present(db: Session, *, portal: str, now: datetime) -> Anchor | None:
    """The anchor of the audit log as it is; None where nothing has been written yet."""
    head = db.get(AuditHead, 1)
    if head is None or head.hash is None:
        return None
    return Anchor(portal, head.linked, head.hash, now)


def _lines(anchor: Anchor) -> list[str]:
    at = anchor.at.astimezone(UTC).isoformat(timespec="seconds")
    return [
        TITLE,
        f"portal: {anchor.portal}",
        f"number: {anchor.number}",
        f"hash: {anchor.hash.hex()}",
        f"time: {at}",
    ]


def _blocks(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] | None = None
    for line in text.splitlines():
        line = line.lstrip("> \t").rstrip()
        if line == TITLE:
            if fields is not None:
                yield fields
            fields = {}
            continue
        name, colon, value = line.partition(": ")
        if fields is not None and colon and name in FIELDS and name not in fields:
            fields[name] = value
            if name == "seal":
                yield fields
                fields = None
    if fields is not None:
        yield fields


def _anchor(fields: dict[str, str]) -> Anchor | None:
    try:
        return Anchor(
            fields["portal"],
            int(fields["number"]),
            bytes.fromhex(fields["hash"]),
            datetime.fromisoformat(fields["time"]),
        )
    except ValueError:
        return None
