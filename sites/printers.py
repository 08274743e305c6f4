"""Receipt printers that stand in a site and are reached over the town's own network, and where one may be."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from config.reader import IpNetwork
from db.base import Base, Key, Slug
from sites.models import Site

# What print servers listen on: 9100, and the next ones where a server has several printers.
FIRST_PORT, LAST_PORT = 9100, 9199
# The metadata services of clouds that stand on no link-local address: AWS over IPv6, Alibaba.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))


class Printer(Base):
    """A receipt printer that understands ESC/POS on a TCP port. `paper_mm` is the width of its roll."""

    __tablename__ = "printers"
    __table_args__ = (
        CheckConstraint("paper_mm IN (58, 80)", name="paper_mm"),
        CheckConstraint(f"port BETWEEN {FIRST_PORT} AND {LAST_PORT}", name="port"),
    )

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(60))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    # A name or an address, IPv6 in brackets.
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int] = mapped_column(default=FIRST_PORT)
    paper_mm: Mapped[int] = mapped_column(default=80)
    # Whether it answers when it is asked how it does (DLE EOT, GS r): what never does cannot be told from what hangs.
    answers: Mapped[bool] = mapped_column(default=True)
    # It is offered at no desk any more.
    retired: Mapped[bool] = mapped_column(default=False)

    site: Mapped[Site] = relationship()


def at_sites(db: Session, slugs: Iterable[str]) -> list[Printer]:
    """The printers in use at these sites, in the order of the sites, then by name."""
    order = {slug: place for place, slug in reversed(list(enumerate(slugs)))}
    found = db.scalars(
        select(Printer)
        .join(Site)
        .where(Site.slug.in_(order), Printer.retired.is_(False))
        .options(joinedload(Printer.site))
    )
    return sorted(found, key=lambda one: (order[one.site.slug], one.name, one.id))


def by_slug(db: Session, slug: str) -> Printer | None:
    return db.scalar(select(Printer).where(Printer.slug == slug).options(joinedload(Printer.site)))


def may_stand_at(address: str, allowed: Iterable[IpNetwork]) -> bool:
    """Whether a printer may have this IP address: it is in one of `allowed`; none named: everywhere but on the portal's
    own machine and where machines of a cloud are asked for their secrets.
    """
    at = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(at, ipaddress.IPv6Address) and at.ipv4_mapped is not None:
        at = at.ipv4_mapped
    if named := list(allowed):
        return any(at.version == one.version and at in one for one in named)
    is_special = at.is_loopback or at.is_unspecified or at.is_multicast or at.is_link_local or at.is_reserved
    return not is_special and at not in _METADATA
