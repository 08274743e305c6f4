"""A database of this room's tables, and a small cast of places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from db.base import Base
from db.engine import make_engine, make_session_maker
from sites.models import Network, Site
from tests.sites.places import library_network, pierre_bayle, public_network, viotte

Row = TypeVar("Row", Network, Site)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Session]:
    engine = make_engine(f"sqlite:///{tmp_path / 'sites.db'}")
    Base.metadata.create_all(engine)
    with make_session_maker(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def wifilib(db: Session) -> Network:
    return _kept(db, public_network())


@pytest.fixture
def bibliotheques(db: Session) -> Network:
    return _kept(db, library_network())


@pytest.fixture
def station(db: Session, wifilib: Network) -> Site:
    return _kept(db, viotte(networks=[wifilib]))


@pytest.fixture
def library(db: Session, bibliotheques: Network) -> Site:
    return _kept(db, pierre_bayle(networks=[bibliotheques]))


def _kept(db: Session, row: Row) -> Row:
    db.add(row)
    db.flush()
    return row
