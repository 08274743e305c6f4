"""Finding in the log: an index for each filter, in the order of the list

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
ENDED = sa.text("end_reason IS NOT NULL")
IN_ORDER = ["started_at", "id"]
LED_BY = {
    "ix_access_sessions_log": [],
    "ix_access_sessions_log_site": ["site_id"],
    "ix_access_sessions_log_network": ["network_id"],
    "ix_access_sessions_log_method": ["method"],
    "ix_access_sessions_log_mac": ["mac"],
    "ix_access_sessions_log_address": ["address"],
}
OF_DECISIONS = {
    "ix_decisions_network": "network_id",
    "ix_decisions_address": "address",
    "ix_decisions_subject": "subject",
}


def upgrade() -> None:
    for name, leading in LED_BY.items():
        op.create_index(name, "access_sessions", [*leading, *IN_ORDER])
    op.create_index(
        "ix_access_sessions_log_reason",
        "access_sessions",
        ["end_reason", *IN_ORDER],
        sqlite_where=ENDED,
        postgresql_where=ENDED,
    )
    op.create_index(
        "ix_access_sessions_log_open",
        "access_sessions",
        IN_ORDER,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    for name, leading in OF_DECISIONS.items():
        op.create_index(name, "decisions", [leading, "at"])


def downgrade() -> None:
    for name in reversed(OF_DECISIONS):
        op.drop_index(name, "decisions")
    for name in ("ix_access_sessions_log_open", "ix_access_sessions_log_reason", *reversed(LED_BY)):
        op.drop_index(name, "access_sessions")
