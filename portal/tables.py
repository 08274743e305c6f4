"""The whole database as it is declared: of every module that declares a table. A server knows those that it asks for.

What is not imported here, Alembic would drop.
"""

# ruff: noqa: F401

import ads.ledger.models
import ads.models
import auth.api_tokens.models
import auth.audit.chain
import auth.audit.log
import auth.audit.signatures
import auth.blocks.models
import auth.devices.models
import auth.fixed_devices.models
import auth.models
import auth.patrons.local
import auth.staff.models
import auth.vouchers.models
import sessions.alerts.models
import sessions.experiments.models
import sessions.legal_requests.models
import sessions.models
import sessions.retention.models
import sessions.statistics.models
import sessions.statistics.signed
import sessions.troubles.models
import sites.images.models
import sites.import_export.history
import sites.models
import sites.printers
import sites.schools.models
from db.base import Base

METADATA = Base.metadata
