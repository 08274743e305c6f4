"""What a message shows beside its texts is called its media

Revision: 0028, after 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("creatives") as table:
        table.alter_column("look", new_column_name="media")


def downgrade() -> None:
    with op.batch_alter_table("creatives") as table:
        table.alter_column("media", new_column_name="look")
