"""A copy of all networks and sites in another database, for trials that must change nothing."""

from __future__ import annotations

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from db.statements import table_of
from sites.models import Network, Site, site_networks

TABLES: tuple[Table, ...] = (table_of(Network), table_of(Site), site_networks)


def copy_places(source: Session, target: Session) -> None:
    """Write the rows of `source` into `target`, whose tables are empty. Gateways and their credentials stay behind."""
    for table in TABLES:
        rows = [dict(row) for row in source.execute(select(table)).mappings()]
        if rows:
            target.execute(insert(table), rows)
