"""What people tell the staff, found in the log: an incident code, a MAC, an address, a pass, a pseudonym."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from gateways.types import InvalidMac, parse_mac
from portal.staff.access import current_staff
from portal.staff.sessions.access_audit import address_of
from portal.staff.sessions.pages import alike
from sessions.log import lookup, query
from sessions.log.denials import read_code, show_code
from sessions.log.search import LogQuery, Same, named_row

_ENDS = re.compile(r"[0-9a-f]{2}[:-]?[0-9a-f]{2}")
_PSEUDONYM = re.compile(r"[0-9a-f]{4,32}")
_MARK = re.compile(r"[0-9]{1,8}-[0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class SearchHit:
    """What the words in the box turned out to be, and where that is shown; no address: nothing is there."""

    kind: str
    address: str | None


def find_row(db: Session, typed: str) -> SearchHit:
    """What of the log was typed, the surest kind first."""
    mine = current_staff().authority.networks
    lower = typed.lower().rstrip("…")
    code = read_code(typed)
    if code is not None and named_row(db, code, authority_networks=mine) is not None:
        return SearchHit("incident", url_for("staff.incident", code=show_code(code)))
    if _MARK.fullmatch(typed):
        return SearchHit("pass", address_of(LogQuery(mark=typed)))
    if typed.isascii() and typed.isdigit() and len(typed) < 16:
        if query.find(db, int(typed), authority_networks=mine) is not None:
            return SearchHit("session", url_for("staff.session", access_id=int(typed)))
    elif (mac := _mac(typed)) is not None:
        return _hit("mac", lookup.newest_of_device(db, mac, authority_networks=mine), Same.DEVICE)
    elif (address := _address(typed)) is not None:
        return _hit("address", lookup.newest_of_address(db, address, authority_networks=mine), Same.ADDRESS)
    elif _ENDS.fullmatch(lower) and (":" in lower or "-" in lower):
        return SearchHit("end of a MAC", address_of(LogQuery(ends=lower.replace("-", ":"))))
    if _PSEUDONYM.fullmatch(lower):
        if len(lower) <= 8:
            return SearchHit("pseudonym", address_of(LogQuery(pseudonym=lower)))
        return _hit("pseudonym", lookup.newest_of_person(db, lower, authority_networks=mine), Same.PERSON)
    return SearchHit("incident" if code else "nothing known", None)


def _hit(kind: str, row: int | str | None, same: Same) -> SearchHit:
    """One row stands in the address for all that share its device, address or person."""
    return SearchHit(kind, None if row is None else alike(row, same))


def _mac(typed: str) -> str | None:
    try:
        return parse_mac(typed)
    except InvalidMac:
        return None


def _address(typed: str) -> str | None:
    try:
        return str(ipaddress.ip_address(typed))
    except ValueError:
        return None
