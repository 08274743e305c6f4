"""Gateways on pages: the words of their columns."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.records import RecordKind
from auth.staff.roles import Action
from gateways.registry import kinds
from portal.i18n.gateway_capabilities import product_of
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from sites import queries
from sites.import_export.gateways import GATEWAYS


def _kinds(_db: Session) -> list[Option]:
    return [(name, product_of(name)) for name in kinds()]


def _sites(db: Session) -> list[Option]:
    return list(queries.site_names(db).items())


def _networks(db: Session) -> list[Option]:
    return [(network.slug, network.name) for network in queries.networks(db)]


GATEWAY_PAGES = RecordPages(
    RecordKind(GATEWAYS, Action.GATEWAYS, ObjectKind.GATEWAY, lambda values: {values["network"]}),
    title=N_("Gateway records"),
    new=N_("New gateway"),
    name="identity",
    adds=False,
    listed=("identity", "kind", "site", "network", "is_retired"),
    groups=(
        Group(
            N_("Name and kind"),
            (
                Field(
                    "identity", N_("Name"), N_("As it calls itself, for ever: small letters, digits, dashes")
                ),
                Field("kind", N_("Kind"), widget=Widget.ONE_OF, options=_kinds),
                Field("site", N_("Place"), widget=Widget.ONE_OF, options=_sites),
                Field("network", N_("Network"), widget=Widget.ONE_OF, options=_networks),
            ),
        ),
        Group(
            N_("Addresses"),
            (
                Field(
                    "client_prefixes", N_("Addresses of its guests"), N_("Such as 10.66.0.0/24 fd00:66::/64")
                ),
                Field(
                    "redirector_url",
                    N_("Address of its redirector"),
                    N_(
                        "Of a Linux gateway its own on the guests’ side, with port 8081: http://10.66.0.1:8081/"
                    ),
                ),
                Field(
                    "public_addresses",
                    N_("Addresses that the Internet sees"),
                    N_("IPv4, several with spaces"),
                ),
                Field(
                    "ports_per_client",
                    N_("Ports of each guest"),
                    N_("0: all share all ports"),
                    Widget.WHOLE,
                ),
                Field(
                    "is_retired",
                    N_("Retired"),
                    N_("It lets nobody in any more; its record and its history stay"),
                    Widget.YES_NO,
                ),
                Field("options", N_("Options of its kind"), N_("NAME=VALUE, separated by semicolons")),
            ),
        ),
    ),
)
