"""How Alembic meets our tables. `flask db upgrade` hands over the connection; nothing is read from a file."""

import alembic.context as context

# Every module that declares a table: what is not imported here, autogenerate would drop.
import ads.ledger.models
import ads.models  # noqa: F401
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
import auth.vouchers.models  # noqa: F401
import sessions.alerts.models
import sessions.experiments.models
import sessions.legal_requests.models
import sessions.models
import sessions.retention.models
import sessions.statistics.models
import sessions.statistics.signed
import sessions.troubles.models  # noqa: F401
import sites.images.models
import sites.import_export.history
import sites.models
import sites.printers
import sites.schools.models  # noqa: F401
from db.base import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
