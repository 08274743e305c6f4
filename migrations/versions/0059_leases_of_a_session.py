"""The leases of a session at one gateway, those without an address, and what a NAS holds of a session, by an index each

Revision: 0059, after 0058
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def _hold(columns: list[str]) -> None:
    op.drop_index("ix_nas_sessions_held", "nas_sessions")
    is_open = sa.text("stopped_at IS NULL")
    op.create_index(
        "ix_nas_sessions_held", "nas_sessions", columns, sqlite_where=is_open, postgresql_where=is_open
    )


def upgrade() -> None:
    op.create_index("ix_leases_access_gateway", "leases", ["access_id", "gateway_id", "until"])
    op.drop_index("ix_leases_access_id", "leases")
    _hold(["gateway_id", "access_id"])
    without_address = sa.text("address = ''")
    op.create_index(
        "ix_leases_without_address",
        "leases",
        ["gateway_id", "mac"],
        sqlite_where=without_address,
        postgresql_where=without_address,
    )


def downgrade() -> None:
    op.drop_index("ix_leases_without_address", "leases")
    _hold(["gateway_id"])
    op.create_index("ix_leases_access_id", "leases", ["access_id"])
    op.drop_index("ix_leases_access_gateway", "leases")
