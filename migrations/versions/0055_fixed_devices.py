"""The register of fixed devices

Revision: 0055, after 0054
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fixed_devices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", _word("devicekind", "camera", "shop", "sensor", "other"), nullable=False),
        sa.Column("state", _word("devicestate", "active", "suspended", "retired"), nullable=False),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("destinations", db.base.Json(), nullable=True),
        sa.Column("rate_down_kbps", sa.Integer(), nullable=True),
        sa.Column("rate_up_kbps", sa.Integer(), nullable=True),
        sa.Column("hours", sa.String(300), nullable=False),
        sa.Column("contract_end", sa.Date(), nullable=False),
        sa.Column("sign_reference", sa.String(80), nullable=False),
        sa.Column("sign_from", sa.Date(), nullable=True),
        sa.Column("sign_until", sa.Date(), nullable=True),
        sa.Column("link_digest", sa.String(64), nullable=True),
        sa.Column("link_made_at", db.base.UtcDateTime(), nullable=True),
        sa.Column("last_seen_at", db.base.UtcDateTime(), nullable=True),
        sa.Column("looked_at", db.base.UtcDateTime(), nullable=True),
        sa.Column("awaited_since", db.base.UtcDateTime(), nullable=True),
        sa.Column("silences", db.base.Json(), nullable=False),
        sa.CheckConstraint("rate_down_kbps >= 0 AND rate_up_kbps >= 0", name=op.f("ck_fixed_devices_rates")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_fixed_devices_site_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_fixed_devices_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixed_devices")),
        sa.UniqueConstraint("slug", name=op.f("uq_fixed_devices_slug")),
        sa.UniqueConstraint("mac", name=op.f("uq_fixed_devices_mac")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_fixed_devices_link_digest")),
    )


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def downgrade() -> None:
    op.drop_table("fixed_devices")
