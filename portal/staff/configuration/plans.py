"""A plan before it is saved: the sentence that the visitor will read, in each language of the town."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from auth.vouchers.models import Batch, Plan
from auth.vouchers.plan_records import PLANS, put_values
from portal.i18n.translation import language_in_words, town_language
from portal.printing.from_vouchers import say_end
from portal.records.plans import PLAN_PAGES
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import needs
from portal.staff.configuration import record
from sites.import_export.records import values_of


@staff.post("/records/plans/-/sentence")
@needs(Action.PLANS)
def plan_sentence() -> AnyResponse:
    """The form as it was typed, with what a visitor would read of it."""
    return record.look_first(PLAN_PAGES)


def sentences(cells: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Language, its name there, and what the ticket says: of a plan with these cells, none where they make no sense."""
    plan, values = Plan(slug=cells.get("slug", "")), values_of(PLANS, cells)
    if values is None:
        return []
    put_values(plan, values)
    # The very words of the ticket, as of a batch that is issued now.
    batch = Batch(plan=plan, starts_at=None, ends_at=plan.ends_at, issued_at=services().clock())
    found = []
    for code in services().settings.languages:
        name = plan.names.get(code) or plan.names.get(town_language()) or plan.slug
        text = f"{name} – {say_end(batch, code, town_zone().key)}"
        found.append((code, language_in_words(code), text))
    return found


record.EXTRAS[PLAN_PAGES.slug] = (
    "staff/configuration/plan.html",
    lambda cells: {"read_by_guests": sentences(cells)},
)
