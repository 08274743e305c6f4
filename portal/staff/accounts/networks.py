"""The networks of an account or a token: which may be given, and which a form gives."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from auth.staff.errors import NoReach
from auth.staff.roles import ALL_NETWORKS
from portal.staff.access import current_staff
from sites import queries
from sites.models import Network


def networks_chosen() -> frozenset[str]:
    """The networks of a form; none are all of them, where the form says so in so many words. Raises `NoReach`."""
    reach, chosen = request.form.get("reach"), frozenset(request.form.getlist("networks"))
    if reach == "all" and not chosen:
        return ALL_NETWORKS
    if reach != "some" or not chosen:
        raise NoReach
    return chosen


def networks_of_mine(db: Session) -> list[Network]:
    """The networks that this administrator may give."""
    mine = current_staff().authority.networks
    return queries.networks(db, slugs=mine or None)
