"""Schools: their lines, their classes of tablets, and the schools that an account is for

Revision: 0047, after 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, length=32, create_constraint=True)


def upgrade() -> None:
    op.create_table(
        "school_lines",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("stage", _word("stage", "nursery", "elementary", "primary", "secondary"), nullable=False),
        sa.Column("medium", _word("linemedium", "fibre", "adsl", "mobile", "none"), nullable=False),
        sa.Column("line_down_kbps", sa.Integer(), nullable=False),
        sa.Column("line_up_kbps", sa.Integer(), nullable=False),
        sa.Column("works_on", sa.Date(), nullable=True),
        sa.Column("resolver", sa.String(45), nullable=False),
        sa.Column("wifi", _word("wifirule", "classes", "hours", "always"), nullable=False),
        sa.Column("wifi_hours", sa.String(300), nullable=False),
        sa.CheckConstraint("line_down_kbps >= 0 AND line_up_kbps >= 0", name=op.f("ck_school_lines_rates")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_school_lines_site_id_sites")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_school_lines")),
    )
    op.create_table(
        "tablet_classes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("rate_down_kbps", sa.Integer(), nullable=True),
        sa.Column("rate_up_kbps", sa.Integer(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("switched_on", sa.Boolean(), nullable=True),
        sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("switched_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("switched_by", sa.String(120), nullable=False),
        sa.Column("switched_site_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("rate_down_kbps >= 0 AND rate_up_kbps >= 0", name=op.f("ck_tablet_classes_rates")),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_tablet_classes_network_id_networks")
        ),
        sa.ForeignKeyConstraint(
            ["switched_site_id"], ["sites.id"], name=op.f("fk_tablet_classes_switched_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tablet_classes")),
        sa.UniqueConstraint("slug", name=op.f("uq_tablet_classes_slug")),
    )
    op.create_table(
        "class_stops",
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lessons", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["tablet_classes.id"],
            name=op.f("fk_class_stops_class_id_tablet_classes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_class_stops_site_id_sites")),
        sa.PrimaryKeyConstraint("class_id", "site_id", name=op.f("pk_class_stops")),
    )
    op.create_index(op.f("ix_class_stops_site_id"), "class_stops", ["site_id"])
    op.create_table(
        "tablets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("serial", sa.String(60), nullable=False),
        sa.Column("model", sa.String(80), nullable=False),
        sa.Column("bought_on", sa.Date(), nullable=True),
        sa.Column("state", _word("tabletstate", "in_use", "repair", "lost", "retired"), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["tablet_classes.id"], name=op.f("fk_tablets_class_id_tablet_classes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tablets")),
        sa.UniqueConstraint("slug", name=op.f("uq_tablets_slug")),
        sa.UniqueConstraint("mac", name=op.f("uq_tablets_mac")),
    )
    op.create_index(op.f("ix_tablets_class_id"), "tablets", ["class_id"])
    for table in ("staff", "staff_requests"):
        op.add_column(table, sa.Column("sites", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for table in ("staff_requests", "staff"):
        with op.batch_alter_table(table) as changed:
            changed.drop_column("sites")
    for table in ("tablets", "class_stops", "tablet_classes", "school_lines"):
        op.drop_table(table)
