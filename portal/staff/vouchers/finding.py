"""Passes by what is typed of them: a code, the number on a ticket."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.vouchers import codes, redeeming
from auth.vouchers.codes import UnreadableCode
from auth.vouchers.models import Voucher
from portal.services import services


def by_code_or_mark(db: Session, typed: str) -> Voucher | None:
    """The pass with this code or with this number on its ticket, of whatever network."""
    if (found := redeeming.find_by_mark(db, typed.strip())) is not None:
        return found
    try:
        return redeeming.find(db, keys=services().voucher_keys, code=codes.read(typed))
    except UnreadableCode:
        return None


def without_codes(words: str) -> str:
    """Nothing that may be a code goes into an address, where logs would keep it."""
    try:
        codes.read(words)
    except UnreadableCode:
        return words
    return ""
