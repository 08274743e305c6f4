"""The logo of a network and the photograph of a site: set from a file, taken away, read."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from sites.images import store
from sites.images.preparing import PreparedImage
from sites.images.store import ImageReference, read_reference
from sites.models import Network, Site


def set_logo(db: Session, network: Network, image: PreparedImage, *, alt: Mapping[str, str]) -> None:
    """Give the network this logo in place of the one it had. Raises `RefusedImage` without a text in any language."""
    network.look = {**network.look, "logo": store.keep(db, _logo_of(network), image, alt=alt)}


def remove_logo(db: Session, network: Network) -> None:
    store.remove(db, _logo_of(network))
    network.look = {name: value for name, value in network.look.items() if name != "logo"}


def network_mark(network: Network) -> ImageReference | None:
    """The network's own mark, in all its sizes; None where it has none and the portal's sign stands."""
    return read_reference(network.look.get("logo"))


def set_photograph(db: Session, site: Site, image: PreparedImage, *, alt: Mapping[str, str]) -> None:
    """Give the site this photograph in place of the one it had. Raises as `set_logo` does."""
    site.photo = store.keep(db, _photograph_of(site), image, alt=alt)


def remove_photograph(db: Session, site: Site) -> None:
    store.remove(db, _photograph_of(site))
    site.photo = {}


def photograph(site: Site) -> ImageReference | None:
    return read_reference(site.photo)


def _logo_of(network: Network) -> str:
    return f"networks/{network.slug}/logo"


def _photograph_of(site: Site) -> str:
    return f"sites/{site.slug}/photograph"
