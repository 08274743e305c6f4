"""Receipt printers that are reached over the network

Revision: 0056, after 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "printers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("paper_mm", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("paper_mm IN (58, 80)", name=op.f("ck_printers_paper_mm")),
        sa.CheckConstraint("port BETWEEN 9100 AND 9199", name=op.f("ck_printers_port")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_printers_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_printers")),
        sa.UniqueConstraint("slug", name=op.f("uq_printers_slug")),
    )


def downgrade() -> None:
    op.drop_table("printers")
