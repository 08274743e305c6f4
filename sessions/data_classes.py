"""The classes of what is remembered about people: each has its own basis, term and purge, and is masked by itself."""

from __future__ import annotations

import enum


class DataClass(enum.StrEnum):
    """The class of data of a row, as retention periods, legal holds, masks and requisitions name it."""

    # Who was where, behind which address and ports: access sessions and their leases.
    CONNECTION = "connection"
    # How much was carried: the counters.
    TRAFFIC = "traffic"
    # What somebody may use: entitlements, devices with a certificate, and the patrons the town keeps itself.
    ACCOUNT = "account"
    # What keeps the network safe: refusals, budgets against guessing, the sign-ins of staff.
    SECURITY = "security"
    # What was shown and agreed to: the acceptances of ads.
    ACCEPTANCE = "acceptance"
    # Who did what to what: the audit log.
    TRAIL = "trail"
