"""The register of requisitions, with the bases that French law has today

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BASES = (
    ("CPP 60-1", "Enquête de flagrance : réquisition d'un OPJ, ou d'un APJ sous son contrôle", False),
    ("CPP 60-2", "Enquête de flagrance : réquisition par voie télématique", False),
    ("CPP 77-1-1", "Enquête préliminaire : procureur, ou OPJ/APJ sur son autorisation", False),
    ("CPP 77-1-2", "Enquête préliminaire : réquisition par voie télématique, sur autorisation", False),
    ("CPP 99-3", "Commission rogatoire d'un juge d'instruction", False),
    ("autre", "Autre fondement, à nommer", True),
)


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    bases = op.create_table(
        "requisition_bases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("needs_text", sa.Boolean(), nullable=False),
        sa.Column("retired_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requisition_bases")),
        sa.UniqueConstraint("name", name=op.f("uq_requisition_bases_name")),
    )
    op.bulk_insert(bases, [{"name": name, "text": text, "needs_text": needs} for name, text, needs in BASES])
    op.create_table(
        "requisitions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("signer", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("basis_id", sa.Integer(), nullable=False),
        sa.Column("basis_text", sa.String(length=300), nullable=False),
        sa.Column("scope", db.base.Json(), nullable=False),
        sa.Column("networks", db.base.Json(), nullable=False),
        sa.Column("received_at", instant, nullable=False),
        sa.Column("registered_at", instant, nullable=False),
        sa.Column("registered_by", sa.String(length=80), nullable=False),
        sa.Column("closed_at", instant, nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["basis_id"], ["requisition_bases.id"], name=op.f("fk_requisitions_basis_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requisitions")),
    )
    op.create_table(
        "requisition_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("requisition_id", sa.Integer(), nullable=False),
        sa.Column("answered_at", instant, nullable=False),
        sa.Column("answered_by", sa.String(length=80), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["requisition_id"], ["requisitions.id"], name=op.f("fk_requisition_answers_requisition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requisition_answers")),
    )
    with op.batch_alter_table("requisition_answers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_requisition_answers_requisition_id"), ["requisition_id"], unique=False
        )


def downgrade() -> None:
    op.drop_table("requisition_answers")
    op.drop_table("requisitions")
    op.drop_table("requisition_bases")
