"""Campaigns with their advertiser, their category, their bounds, and who wrote and approved them; elections

Who spoke so far becomes an advertiser. What ran goes on running.

Revision: 0021, after 0020
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CATEGORIES = (
    *("public_service", "culture", "commerce", "town_record", "political"),
    *("gambling", "credit", "crypto", "weapons", "medicines"),
)
STATES = ("draft", "proposed", "running", "paused", "stopped", "over")
KINDS = ("text", "still", "video")


def _word(name: str, *words: str, check: bool = True) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, length=32, create_constraint=check)


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    op.create_table(
        "advertisers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("identity", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("is_town", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advertisers")),
        sa.UniqueConstraint("slug", name=op.f("uq_advertisers_slug")),
    )
    op.create_table(
        "elections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("first_round", sa.Date(), nullable=False),
        sa.Column("last_round", sa.Date(), nullable=False),
        sa.CheckConstraint("first_round <= last_round", name=op.f("ck_elections_rounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elections")),
        sa.UniqueConstraint("first_round", name=op.f("uq_elections_first_round")),
    )
    with op.batch_alter_table("campaigns") as table:
        table.add_column(sa.Column("advertiser_id", sa.Integer(), nullable=True))
        table.add_column(
            sa.Column(
                "category",
                _word("category", *CATEGORIES, check=False),
                nullable=False,
                server_default="public_service",
            )
        )
        table.add_column(sa.Column("conditions", sa.String(length=400), nullable=False, server_default=""))
        table.add_column(sa.Column("hours", sa.String(length=300), nullable=False, server_default="24/7"))
        table.add_column(sa.Column("site_kinds", db.base.Json(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("languages", db.base.Json(), nullable=False, server_default="[]"))
        for name in ("goal", "daily_cap", "total_cap", "price_cents"):
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
        table.add_column(
            sa.Column("authored_by", sa.String(length=80), nullable=False, server_default="system")
        )
        table.add_column(sa.Column("authored_at", instant, nullable=True))
        table.add_column(sa.Column("approved_by", sa.String(length=80), nullable=True))
        table.add_column(sa.Column("approved_at", instant, nullable=True))
        table.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        table.drop_constraint(op.f("ck_campaigns_campaignstate"), type_="check")
    _move_advertisers()
    words = ", ".join(f"'{word}'" for word in STATES), ", ".join(f"'{word}'" for word in CATEGORIES)
    with op.batch_alter_table("campaigns") as table:
        table.alter_column("advertiser_id", existing_type=sa.Integer(), nullable=False)
        for name in ("category", "conditions", "hours", "site_kinds", "languages", "authored_by", "revision"):
            table.alter_column(name, server_default=None)
        table.create_foreign_key(op.f("fk_campaigns_advertiser_id"), "advertisers", ["advertiser_id"], ["id"])
        table.create_check_constraint(op.f("ck_campaigns_campaignstate"), f"state IN ({words[0]})")
        table.create_check_constraint(op.f("ck_campaigns_category"), f"category IN ({words[1]})")
        table.create_check_constraint(
            op.f("ck_campaigns_bounds"), "goal > 0 AND daily_cap > 0 AND total_cap > 0"
        )
        table.create_check_constraint(op.f("ck_campaigns_price"), "price_cents >= 0")
        table.drop_column("advertiser")
        table.drop_column("is_municipal")
    with op.batch_alter_table("creatives") as table:
        table.add_column(
            sa.Column(
                "kind", _word("creativekind", *KINDS, check=False), nullable=False, server_default="text"
            )
        )
        table.add_column(sa.Column("more", sa.String(length=120), nullable=False, server_default=""))
    with op.batch_alter_table("creatives") as table:
        for name in ("kind", "more"):
            table.alter_column(name, server_default=None)
        table.create_check_constraint(op.f("ck_creatives_creativekind"), "kind IN ('text', 'still', 'video')")


def _move_advertisers() -> None:
    """Each name that spoke becomes an advertiser; its campaigns are services of the town, or commerce."""
    connection = op.get_bind()
    payers = sa.table(
        "advertisers",
        *map(sa.column, ("id", "slug", "name", "identity", "contact")),
        sa.column("is_town", sa.Boolean()),
    )
    campaigns = sa.table(
        "campaigns",
        *map(sa.column, ("id", "advertiser_id", "advertiser", "category", "state", "approved_by")),
        sa.column("is_municipal", sa.Boolean()),
    )
    found = connection.execute(
        sa.select(campaigns.c.advertiser, campaigns.c.is_municipal)
        .distinct()
        .order_by(campaigns.c.advertiser)
    ).all()
    taken: set[str] = set()
    for name, is_town in found:
        slug = _slug(name, taken)
        connection.execute(
            payers.insert().values(slug=slug, name=name, identity="", contact="", is_town=is_town)
        )
        payer = connection.scalar(sa.select(payers.c.id).where(payers.c.slug == slug))
        connection.execute(
            campaigns.update()
            .where(campaigns.c.advertiser == name, campaigns.c.is_municipal == is_town)
            .values(advertiser_id=payer, category="public_service" if is_town else "commerce")
        )
    connection.execute(campaigns.update().where(campaigns.c.state == "running").values(approved_by="system"))


def _slug(name: str, taken: set[str]) -> str:
    plain = "".join(
        one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one)
    ).lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:56] or "advertiser"
    slug = next(
        one for number in range(1, 1000) if (one := base if number == 1 else f"{base}-{number}") not in taken
    )
    taken.add(slug)
    return slug
