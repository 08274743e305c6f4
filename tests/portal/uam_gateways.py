"""Gateways of the town that are of another make."""

from __future__ import annotations

from portal.services import Services
from sites.models import Gateway
from tests.town import Town


def coovachilli_at_the_station(services: Services, town: Town) -> Gateway:
    """The station's gateway becomes a CoovaChilli, and Battant's too."""
    with services.make_session.begin() as db:
        for gateway, address in ((town.station, "10.1.2.3"), (town.battant, "10.1.2.4")):
            found = db.get_one(Gateway, gateway.id)
            found.kind, found.options = "coovachilli", {"nas_address": address}
    services.places.forget()
    known = services.places.by_identity("gw-viotte")
    assert known is not None
    return known
