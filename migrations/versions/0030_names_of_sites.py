"""What a site is called in other languages

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sites") as batch_op:
        batch_op.add_column(sa.Column("names", db.base.Json(), nullable=False, server_default="{}"))
    with op.batch_alter_table("sites") as batch_op:
        batch_op.alter_column("names", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sites") as batch_op:
        batch_op.drop_column("names")
