"""Monthly bills of advertisers, numbered without a gap and never changed; their links to their own figures

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# As `ads.ledger.models` makes them.
UNCHANGED = {
    "sqlite": (
        "CREATE TRIGGER bills_no_update BEFORE UPDATE ON bills "
        "BEGIN SELECT RAISE(ABORT, 'a bill is never changed'); END",
        "CREATE TRIGGER bills_no_delete BEFORE DELETE ON bills "
        "BEGIN SELECT RAISE(ABORT, 'a bill is never changed'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION bills_unchanged() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a bill is never changed'; END $$",
        "CREATE TRIGGER bills_no_change BEFORE UPDATE OR DELETE ON bills "
        "FOR EACH ROW EXECUTE FUNCTION bills_unchanged()",
    ),
}


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    op.create_table(
        "bill_years",
        sa.Column("year", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_bill_years")),
    )
    op.create_table(
        "bills",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("advertiser_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("issued_at", instant, nullable=False),
        sa.Column("issued_by", sa.String(length=80), nullable=False),
        sa.Column("payer", db.base.Json(), nullable=False),
        sa.Column("lines", db.base.Json(), nullable=False),
        sa.Column("total_cents", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["advertiser_id"], ["advertisers.id"], name=op.f("fk_bills_advertiser_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bills")),
        sa.UniqueConstraint("year", "number", name=op.f("uq_bills_year_number")),
        sa.UniqueConstraint("advertiser_id", "month", name=op.f("uq_bills_advertiser_id_month")),
    )
    op.create_table(
        "advertiser_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("advertiser_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("revoked_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["advertiser_id"], ["advertisers.id"], name=op.f("fk_advertiser_links_advertiser_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advertiser_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_advertiser_links_digest")),
    )
    op.create_index(op.f("ix_advertiser_links_advertiser_id"), "advertiser_links", ["advertiser_id"])
    for statement in UNCHANGED[op.get_bind().dialect.name]:
        op.execute(statement)
