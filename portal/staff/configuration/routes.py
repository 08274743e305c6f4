"""One set of views for every kind of record: each kind has routes of its own, with its own action of the policy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.http.security_headers import LARGEST_UPLOAD
from portal.records.kinds import RecordPages
from portal.staff import staff
from portal.staff.access import needs


@dataclass(frozen=True, slots=True)
class RecordView:
    """A view of any kind, as `view(pages, **arguments)`, at a path below ``/staff/records/KIND``."""

    path: str
    method: str
    view: Callable[..., AnyResponse]


def serve(pages: RecordPages, views: Mapping[str, RecordView]) -> None:
    """Serve these views for one kind: ``staff.sites_list``, ``staff.sites_record`` and so on."""
    for name, one in views.items():
        bound = functools.partial(one.view, pages)
        # Terms of use in several languages are longer than other forms.
        largest = LARGEST_UPLOAD if one.method == "POST" else None
        needs(pages.action, largest_form=largest, town_wide=pages.town_wide)(bound)
        rule = f"/records/{pages.slug}{one.path}"
        staff.add_url_rule(rule, f"{pages.slug}_{name}", bound, methods=[one.method])


def address(pages: RecordPages, name: str, **arguments: str | int) -> str:
    """The address of one of these views."""
    return url_for(f"staff.{pages.slug}_{name}", **arguments)  # type: ignore[arg-type]
