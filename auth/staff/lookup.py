"""Finding staff accounts: by login, by what somebody types of a name, or all of them."""

from __future__ import annotations

import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.patrons.login_names import normalise_login
from auth.staff.models import Staff
from auth.staff.roles import Authority, may_appoint


def find(db: Session, login: str) -> Staff | None:
    return db.scalar(select(Staff).where(Staff.login == normalise_login(login)))


def everybody(db: Session, *, visible_to: Authority | None = None) -> list[Staff]:
    """All accounts in the order of their logins; for staff of some networks, those they may look after."""
    found = db.scalars(select(Staff).order_by(Staff.login)).all()
    return [one for one in found if visible_to is None or may_appoint(visible_to, one.authority)]


def logins_like(db: Session, words: str) -> tuple[str, ...]:
    """The logins of whom somebody means by a login, a name or a part of one, whatever its accents and capitals."""
    wanted = _plain(words)
    names = db.execute(select(Staff.login, Staff.name))
    return tuple(login for login, name in names if wanted in _plain(login) or wanted in _plain(name))


def _plain(words: str) -> str:
    """Without accents and capitals."""
    apart = unicodedata.normalize("NFKD", words.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
