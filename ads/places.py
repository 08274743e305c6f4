"""Places that show ads: which they are, and which of them a campaign is for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ads.models import Campaign
from sites import queries
from sites.limits import ads_shown
from sites.models import Network, SigninMethod, Site


@dataclass(frozen=True, slots=True)
class AdPlace:
    """A network at a site where guests accept messages."""

    site: Site
    network: Network

    @property
    def key(self) -> str:
        """Its name in an address."""
        return f"{self.site.slug}.{self.network.slug}"

    def has(self, campaign: Campaign) -> bool:
        """Whether the campaign is for this place."""
        return (
            (not campaign.networks or self.network.slug in campaign.networks)
            and (not campaign.sites or self.site.slug in campaign.sites)
            and (not campaign.site_kinds or self.site.kind.value in campaign.site_kinds)
        )


def every(db: Session, *, networks: frozenset[str] = frozenset()) -> list[AdPlace]:
    """The places of these networks (none named: all), by the names of their sites."""
    return [
        AdPlace(site, network)
        for site in queries.sites(db)
        for network in site.networks
        if (not networks or network.slug in networks)
        and ads_shown(site, network)
        and network.allows(SigninMethod.FREE)
    ]
