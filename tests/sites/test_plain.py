"""Plain values of records: the same to whoever reads them, and SQLAlchemy is not asked."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from sites import gateways
from sites.models import Gateway, Network, Site
from sites.plain import plain
from tests.town import make_gateway


@pytest.fixture
def records(db: Session, station: Site, wifilib: Network) -> list[Gateway]:
    """Two gateways of one site and network, as a cache reads them."""
    db.add_all(make_gateway(identity, station, wifilib) for identity in ("one", "two"))
    db.flush()
    db.expunge_all()
    return list(gateways.every(db))


def test_a_plain_value_says_what_its_record_says(records: list[Gateway]) -> None:
    record, value = records[0], plain(records)[0]
    assert isinstance(value, Gateway) and isinstance(value.site, Site)
    for name in ("identity", "options", "feed_version", "seen_at", "lease_length", "capabilities"):
        assert getattr(value, name) == getattr(record, name)
    assert (value.site.tzinfo, value.site.state) == (record.site.tzinfo, record.site.state)
    assert value.network.guest_methods == record.network.guest_methods


def test_no_session_knows_it_and_what_was_not_loaded_is_not_there(records: list[Gateway]) -> None:
    value = plain(records)[0]
    for each in (value, value.site, value.network, value.feed):
        assert inspect(each, raiseerr=False) is None
    with pytest.raises(AttributeError):
        _ = value.site.networks
    assert [one.slug for one in records[0].site.networks] == ["wifilib"]
    assert [one.slug for one in plain(records)[0].site.networks] == ["wifilib"]


def test_what_two_refer_to_is_one(records: list[Gateway]) -> None:
    one, two = plain(records)
    assert one is not two and one.site is two.site and one.network is two.network
