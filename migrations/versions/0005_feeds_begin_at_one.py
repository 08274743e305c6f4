"""Feeds begin at version 1: 0 is the word of a follower that knows nothing

Revision: 0005, after 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE gateways SET feed_version = 1, confirmed_version = 1 WHERE feed_version = 0")


def downgrade() -> None:
    pass
