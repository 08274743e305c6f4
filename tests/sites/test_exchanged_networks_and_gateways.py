"""Networks and gateway records as files: what cannot be, and the credential that is shown once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.landing_token import credential_digest
from sites.gateways import add_gateway, by_identity
from sites.import_export import GATEWAYS, NETWORKS, FileFormat, export_records
from sites.look import InvalidLook
from sites.models import Gateway, Network, Site
from tests.imports import import_records
from tests.sites.files import faults, table
from tests.sites.places import viotte


def test_a_network_with_a_gateway_cannot_be_taken_from_its_site(db: Session, station: Site) -> None:
    gateway(db, station)
    [found] = faults(db, table("slug,networks", "gare-viotte,"))
    assert "a gateway here still serves wifilib" in found


def gateway(db: Session, site: Site) -> None:
    add_gateway(
        db,
        identity="viotte-1",
        kind="fake",
        site=site,
        network=site.networks[0],
        client_prefixes=["10.66.0.0/24"],
    )


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"terms_fr": "Soyez sages."}, "the terms changed, and their version did not"),
        ({"terms_fr": "", "terms_en": "", "terms_version": "2"}, "no terms in any language"),
        ({"ssid": "é" * 17}, "more than 32 bytes"),
        ({"signin_methods": "patron"}, "signin_methods has no free"),
        ({"signin_methods": "telepathy"}, "none of patron, pass, free"),
        ({"signin_methods": ""}, "at least one of"),
        ({"lease_seconds": "0"}, "not between 60"),
        ({"renewal_seconds": "1800"}, "not shorter than lease_seconds"),
        ({"longest_wait_seconds": "4"}, "longest_wait_seconds: is shorter than viewing_seconds"),
        ({"devices_per_person": "0"}, "not between 1"),
        ({"accent": "red;background:url(//evil)"}, "no colour"),
        (
            {"accent": "#ffcc00"},
            "contrast of 1.4:1 with the page's background #fbfaf7; take a darker tone",
        ),
        ({"accent_dark": "#7a1f5c"}, "with the page's background #14161a; take a lighter tone"),
        ({"accent": "#777"}, "contrast of 4.2:1"),
        ({"accent": "#ffcc00"}, "on the other theme's #14161a it has 11.9:1"),
        ({"public_contact": "the desk"}, "neither a telephone number nor a mail address"),
        ({"public_contact": "javascript:alert(1)@x"}, "neither a telephone number nor a mail address"),
        ({"public_contact": "wifi@example.org?bcc=x@example.org"}, "neither a telephone number"),
        ({"title_fr": "é" * 81}, "81 characters long; at most 80"),
        ({"title_fr": "Une\x07Deux"}, "control character"),
        ({"welcome_en": "x" * 201}, "at most 200"),
        ({"links_fr": "Mairie http://www.example.org/"}, "is no https address"),
        ({"links_fr": "Mairie javascript:alert(1)"}, "is no https address"),
        ({"links_fr": "Mairie https://mairie@evil.example/"}, "is no https address"),
        ({"links_fr": 'Mairie https://www.example.org/"onclick='}, "is no https address"),
        ({"links_fr": "Mairie https://localhost/"}, "is no https address"),
        ({"links_fr": "https://www.example.org/"}, "has no label"),
        ({"links_fr": " | ".join(5 * ["M https://www.example.org/"])}, "are 5 links; at most 4"),
        ({"links_fra": "Mairie https://www.example.org/"}, "no such column"),
        ({"kind": "library"}, "gare-viotte offers it and is no library"),
    ],
)
def test_it_refuses_a_network_that_cannot_be(
    db: Session, station: Site, cells: dict[str, str], reason: str
) -> None:
    cells = {"slug": "wifilib"} | cells
    [found] = faults(db, table(",".join(cells), ",".join(cells.values())), NETWORKS)
    assert reason in found


def test_it_refuses_lengths_that_do_not_go_with_those_of_a_site(db: Session, station: Site) -> None:
    station.lease_seconds, station.longest_wait_seconds = 600, 12
    db.flush()
    content = table("slug,renewal_seconds,viewing_seconds", "wifilib,600,13")
    assert faults(db, content, NETWORKS) == [
        "line 2: lease_seconds: at gare-viotte, 600 is not longer than renewal_seconds of the network",
        "line 2: longest_wait_seconds: at gare-viotte, 12 is shorter than viewing_seconds, 13",
    ]


def test_new_terms_come_with_a_new_version(db: Session, wifilib: Network) -> None:
    import_records(db, NETWORKS, table("slug,terms_de,terms_version,accent", "wifilib,Seid nett.,2,#075"))
    assert wifilib.terms == {"fr": "Soyez gentils.", "en": "Be kind.", "de": "Seid nett."}
    assert (wifilib.terms_version, wifilib.look) == ("2", {"accent": "#075"})


GATE = "identity,kind,site,network,client_prefixes"


def test_a_new_gateway_gets_a_credential_that_is_shown_once(db: Session, station: Site) -> None:
    content = table(GATE, "viotte-1,fake,gare-viotte,wifilib,10.66.0.0/24 fd66::/64")
    result = import_records(db, GATEWAYS, content)
    found = by_identity(db, "viotte-1")
    assert found and found.credential_digest == credential_digest(result.credentials["viotte-1"])
    assert (found.identity, found.client_prefixes) == ("viotte-1", ["10.66.0.0/24", "fd66::/64"])
    assert result.credentials["viotte-1"] not in repr(result)
    again = import_records(db, GATEWAYS, content)
    assert (again.unchanged, dict(again.credentials)) == (("viotte-1",), {})
    assert found.credential_digest == credential_digest(result.credentials["viotte-1"])


@pytest.mark.parametrize("form", FileFormat)
def test_an_export_holds_no_credential(db: Session, station: Site, form: FileFormat) -> None:
    gateway(db, station)
    digest = db.scalars(select(Gateway.credential_digest)).one()
    assert digest.encode() not in export_records(db, GATEWAYS, form)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,fake,nowhere,wifilib,10.1.0.0/24", "site: there is no site nowhere"),
        ("x,fake,gare-viotte,bibliotheques,10.1.0.0/24", "does not offer network bibliotheques"),
        ("x,,gare-viotte,wifilib,10.1.0.0/24", "kind: is empty"),
        ("x,abacus,gare-viotte,wifilib,10.1.0.0/24", "kind: 'abacus' is none of "),
        ("x,fake,gare-viotte,wifilib,10.1.0.1/24", "host bits"),
        ("x,fake,gare-viotte,wifilib,", "at least one"),
        ("x,fake,gare-viotte,wifilib,10.66.0.0/16", "overlap those of viotte-1"),
    ],
)
def test_it_refuses_a_gateway_that_cannot_be(
    db: Session, station: Site, bibliotheques: Network, row: str, reason: str
) -> None:
    gateway(db, station)
    [found] = faults(db, table(GATE, row), GATEWAYS)
    assert reason in found


def test_two_gateways_of_one_file_may_not_overlap_at_a_site(db: Session, station: Site) -> None:
    rows = [f"{name},fake,gare-viotte,wifilib,10.1.0.0/24" for name in ("a", "b")]
    [found] = faults(db, table(GATE, *rows), GATEWAYS)
    assert found.startswith("line 3: client_prefixes: overlap those of a")


def test_two_sites_may_use_one_private_prefix(db: Session, station: Site, wifilib: Network) -> None:
    db.add(viotte(slug="battant", networks=[wifilib]))
    rows = [f"{site}-1,fake,{site},wifilib,10.1.0.0/24" for site in ("battant", "gare-viotte")]
    assert len(import_records(db, GATEWAYS, table(GATE, *rows)).created) == 2


BLOCKS = GATE + ",public_addresses,ports_per_client"


def test_blocks_of_ports_go_out_and_come_back(db: Session, station: Site) -> None:
    row = "viotte-1,nftables,gare-viotte,wifilib,10.66.0.0/24,203.0.113.10 203.0.113.11,1008"
    import_records(db, GATEWAYS, table(BLOCKS, row))
    gateway = db.scalars(select(Gateway)).one()
    assert gateway.public_addresses == ["203.0.113.10", "203.0.113.11"]
    assert gateway.ports_per_client == 1008
    again = import_records(db, GATEWAYS, export_records(db, GATEWAYS))
    assert again.unchanged == ("viotte-1",)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("203.0.113.10,63", "from 64"),
        (",1008", "at least one public address"),
        ("nowhere,0", "public address"),
        ("203.0.113.10,60417", "not between 0 and 60416"),
    ],
)
def test_it_refuses_blocks_that_say_nothing(db: Session, station: Site, cells: str, reason: str) -> None:
    row = f"x,nftables,gare-viotte,wifilib,10.1.0.0/24,{cells}"
    [found] = faults(db, table(BLOCKS, row), GATEWAYS)
    assert reason in found


def test_two_gateways_of_one_file_may_not_have_blocks_of_one_address(db: Session, station: Site) -> None:
    rows = [f"{name},nftables,gare-viotte,wifilib,10.{name}.0.0/24,203.0.113.10,1008" for name in ("1", "2")]
    [found] = faults(db, table(BLOCKS, *rows), GATEWAYS)
    assert found.startswith("line 3: public_addresses: 203.0.113.10 is 1's too")


def test_a_look_goes_out_and_in_again(db: Session, wifilib: Network) -> None:
    look = {
        "accent": "#7a1f5c",
        "contact": "wifi@example.org",
        "onward": "https://www.example.org/",
        "title": {"fr": "Le wifi des lecteurs"},
        "welcome": {"en": "Come in."},
        "links": {"fr": "Mairie https://www.example.org/ | Agenda https://agenda.example.org/x?y=1#z"},
    }
    head = "slug,accent,onward_url,public_contact,title_fr,welcome_en,links_fr,accent_dark"
    links = "Mairie  https://www.example.org/|Agenda https://agenda.example.org/x?y=1#z"
    cells = (
        f"wifilib,#7a1f5c,https://www.example.org/,wifi@example.org,Le wifi des lecteurs,Come in.,{links},"
    )
    import_records(db, NETWORKS, table(head, cells))
    assert wifilib.look == look
    for form in (FileFormat.CSV, FileFormat.EXCEL, FileFormat.GEOJSON):
        before = export_records(db, NETWORKS, form)
        assert import_records(db, NETWORKS, before).changed == ()
        assert export_records(db, NETWORKS, form) == before
    import_records(db, NETWORKS, table(head, "wifilib,,,,,,,"))
    assert wifilib.look == {}


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        ({"accent": "#ffcc00"}, "accent: #ffcc00 has a contrast of 1.4:1"),
        ({"accent_dark": "red"}, "accent_dark: 'red' is no colour"),
        ({"accent": 7}, "is no text"),
        ({"style": "body{}"}, "there is no 'style' in a look"),
        ({"title": {"french": "Bonjour"}}, "no language of two letters"),
        ({"title": {"fr": "a" * 81}}, "title_fr: is not one line of at most 80"),
        (
            {"links": {"fr": "Mairie http://www.example.org/"}},
            "links_fr: 'http://www.example.org/' is no https",
        ),
        ({"onward": "http://www.example.org/"}, "onward_url: 'http://www.example.org/' is no https"),
        ({"onward": "javascript:alert(1)"}, "onward_url: 'javascript:alert(1)' is no https"),
        ({"contact": "nobody"}, "contact: 'nobody' is neither"),
    ],
)
def test_no_other_way_in_takes_a_look_that_cannot_be_shown(
    wifilib: Network, look: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidLook, match=re.escape(reason)):
        wifilib.look = look
