"""A small cast of places."""

from __future__ import annotations

from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from sites.models import Network, Site
from tests.sites.places import library_network, pierre_bayle, public_network, viotte

Row = TypeVar("Row", Network, Site)


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
