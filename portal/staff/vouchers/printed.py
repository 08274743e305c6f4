"""That codes went to paper, written down in the audit log."""

from __future__ import annotations

from auth.vouchers import audit
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.vouchers.new_codes import NewVouchers
from portal.staff.vouchers.print_choices import Choices


def record_print(shown: NewVouchers, choices: Choices) -> None:
    service = services()
    with service.make_session.begin() as db:
        audit.tickets_printed(
            db,
            shown.batch,
            count=len(shown.tickets),
            paper=choices.paper,
            languages=choices.languages,
            actor=current_staff().actor,
            now=service.clock(),
        )
