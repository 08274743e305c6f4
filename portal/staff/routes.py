"""All pages of staff: importing this module gives them to the blueprint."""

from __future__ import annotations

from portal.staff import (  # noqa: F401
    access,
    assets,
    configuration,
    error_pages,
    help,
    home,
    openid,
    password_confirmation,
    search,
    signin,
)
from portal.staff.accounts import groups, own, people, setup, tokens, two_person  # noqa: F401
from portal.staff.campaigns import crisis, elections, payers, schedule, uploads  # noqa: F401
from portal.staff.campaigns import form as campaign_form  # noqa: F401
from portal.staff.campaigns import listing as campaign_listing  # noqa: F401
from portal.staff.campaigns import previewing as campaign_previewing  # noqa: F401
from portal.staff.experiments import pages as experiment_pages  # noqa: F401
from portal.staff.operations import (  # noqa: F401
    alerts,
    blocks,
    gateway_credentials,
    gateway_set_up,
    gateways,
    limits,
    patrons,
    posters,
    reports,
    signed_reports,
)
from portal.staff.overview import pages as overview_pages  # noqa: F401
from portal.staff.privacy import audit_log, holds, legal_requests, retention  # noqa: F401
from portal.staff.schools import classes  # noqa: F401
from portal.staff.sessions import detail, incidents, listing, unmasking  # noqa: F401
from portal.staff.sessions import exports as session_exports  # noqa: F401
from portal.staff.sessions import ticked as ticked_sessions  # noqa: F401
from portal.staff.vouchers import (  # noqa: F401
    batches,
    desk,
    exports,
    print_page,
    printing,
    receipt_printing,
    reprinting,
    ticked,
    voucher,
)
