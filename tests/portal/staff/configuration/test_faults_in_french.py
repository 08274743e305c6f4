"""What is wrong with a record is told to a French clerk in French, whatever it is and wherever it was found."""

from __future__ import annotations

import ast
import html
import io
import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from tests.portal.staff.configuration.forms import SITES_PAGE, send
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

ROOT = Path(__file__).parents[4]
# Where records are read and judged: what is raised or yielded there is shown to whoever typed it.
JUDGES = (
    *sorted(ROOT.glob("sites/import_export/*.py")),
    *sorted(ROOT.glob("gateways/*/kind.py")),
    *sorted(ROOT.glob("gateways/*/options.py")),
    *(
        ROOT / name
        for name in (
            *("sites/opening_rules.py", "sites/gateways.py", "sites/gateway_limits.py"),
            *("auth/records.py", "auth/vouchers/plan_records.py", "auth/fixed_devices/records.py"),
            *("auth/patrons/csv_import.py", "gateways/destinations.py", "gateways/types.py"),
            *("gateways/kinds.py", "gateways/registry.py", "gateways/unifi/transport.py"),
        )
    ),
)
# Raised by a mistake of ours, before anything is read.
OWN = ("gateways/kinds.py: a gateway that", "gateways/kinds.py: steps of time")
SITE = "slug,name,kind,address,latitude,longitude,networks,zone"
NETWORK = "slug,name,ssid,kind,signin_methods,lease_seconds,terms_version,terms_fr"
GATEWAY = "identity,kind,site,network,client_prefixes"
DEVICE = "slug,name,kind,owner,purpose,contact,site,network,mac,destinations,contract_end"
# By kind of record: the columns of a file, and rows with as much wrong in each as can be told at once.
WRONG = {
    "networks": (
        NETWORK,
        "A B,,,public,free,abc,1,\nn1,N,S,town,,5,1,x\nn2,N,Sßßßßßßßßßßßßßßßßß,public,free,600,1,",
        "slug,ssid,ads,signin_methods,renewal_seconds,viewing_seconds,longest_wait_seconds,terms_fr\n"
        "wifilib,W,true,voucher,9000,9,3,Autres conditions",
        "slug,accent,accent_dark,public_contact,onward_url,links_fr\nwifilib,red,#222,call us,ftp://x,https://a.b",
        "slug,accent,links_fr\nwifilib,#ff0,A https://a.fr | B https://a.fr | C https://a.fr | D https://a.fr | E http://a",
        "slug,kind\nwifilib,library",
    ),
    "sites": (
        SITE,
        "s1,,castle,,north,200,nowhere,Paris\ns1,S,square,x,6.0,47.0,bibliotheques,Europe/Paris",
        "slug,opening_hours,school_zone,state_since,state_until,step_free,name\n"
        "gare-viotte,Mo-Fr 9h,Z,tomorrow,2026-11-22T08:00:00,maybe,a\tb",
        "slug,opening_hours,state_since,state_until,ads_allowed,eu_funded\n"
        "gare-viotte,SH 09:00-12:00,2026-11-22T08:00:00Z,2026-11-21T08:00:00Z,true,true",
        "slug,opening_hours\ngare-viotte,Mo-Fr 09:00-12:00 11:00-13:00",
        'slug,opening_hours\ngare-viotte,"Mo 09:00-12:00,11:00-13:00"',
        "slug,opening_hours\ngare-viotte,Lu 09:00-12:00",
        "slug,opening_hours\ngare-viotte,Feb 30 09:00-12:00",
        "slug,opening_hours\ngare-viotte,Mo 09:00-09:00",
        "slug,opening_hours\ngare-viotte,2027 Mar 1-2026 Feb 1 09:00-10:00",
        "slug,nmae,adress\ngare-viotte,a,b",
        "slug,a1,b2,c3,d4\ngare-viotte,a,b,c,d",
        "name\nx",
        "slug,name\ngare-viotte,#N/A\n,x\nb,####",
        "slug,name\ngare-viotte,Ã©cole,x,y",
        "slug,slug\nx,y",
        'slug,name\ngare-viotte,"open',
        "slug,lease_seconds,viewing_seconds\ngare-viotte,60,60",
        "slug,networks\ngare-viotte,",
        "",
        '{"type": "Topology"}',
        '{"type": "FeatureCollection"}',
        '{"type": "FeatureCollection", "features": [1, {"type": "Feature", "properties": {}, "geometry": 2}]}',
        '{"type": ',
    ),
    "gateways": (
        GATEWAY,
        "g1,abacus,x,y,10.0.0.1/24\ng2,nftables,nowhere,wifilib,\ng3,fake,gare-viotte,bibliotheques,0.0.0.0/0",
        "identity,kind,site,network,client_prefixes,redirector_url,public_addresses,ports_per_client,options\n"
        "g4,fake,gare-viotte,wifilib,nothing,ftp://x,127.0.0.1,many,level\n"
        "g5,unifi,gare-viotte,wifilib,10.9.0.0/24,,,0,url=x;kick=maybe;color=red\n"
        "g6,opennds,gare-viotte,wifilib,10.9.1.0/24,,,0,level=0;poll_interval=90\n"
        "g7,mikrotik,gare-viotte,wifilib,10.9.2.0/24,,,0,nas_address=0.0.0.0/0;transport=tin;coa_port=x",
    ),
    "plans": (
        "slug,kind,length_minutes,devices,networks,sites,ends_at",
        "-x,whenever,many,0,nowhere,here,soon\np1,rolling_hours,0,1,nowhere,here,",
    ),
    "devices": (
        DEVICE,
        "d1,,drone,,,,nowhere,x,1:2,,\nd2,D,camera,O,P,C,gare-viotte,wifilib,02:00:00:00:00:09,anywhere,31/02/2027",
        f"{DEVICE},address,sign_from,sign_until\n"
        "d3,D,camera,O,P,C,gare-viotte,wifilib,ff:ff:ff:ff:ff:ff,10.0.0.1 tcp/0,46000,x,2027-01-02,2027-01-01\n"
        "d4,D,camera,O,P,C,nowhere,nothing,02:00:00:00:00:09,10.0.0.1 icmp,2027-01-01,,2027-01-02,2027-01-01",
    ),
    "school-lines": (
        "site,stage,medium,resolver,wifi,wifi_hours,works_on",
        "nowhere,elementary,fibre,router,always,,0000-00-00\ngare-viotte,x,y,127.0.0.1,hours,,46000",
    ),
    "classes": (
        "slug,name,network,stops",
        "c1,,nothing,gare-viotte | gare-viotte\nc2,C,nothing,x\nc3,C,wifilib,gare-viotte Mo 09:00-10:00 | nowhere",
    ),
    "printers": (
        "slug,name,site,host,port,paper_mm,answers",
        "p 1,,nowhere,,80,70,maybe\np2,P,gare-viotte,a b,9200,wide,yes",
        "slug,name,site,host\np3,P,nowhere,10.20.0.9\np4,P,gare-viotte,169.254.0.1",
    ),
    "tablets": ("slug,class,mac,state", "t1,nothing,zz,lost\nt2,nothing,02:00:00:00:00:01,in_use"),
}
# The same for the cards of patrons, which have a page of their own.
WRONG_CARDS = (
    "card;pin\n;\n1234567;1 2\n1234567;4711\n1234567;4712",
    "card,pin,category,expires_on,blocked\n2500001,4711,x,2027-02-31,maybe\n2.5E+06,4711,,46000,\n####,0815,,,",
    "card,pni\n2500001,4711",
    "card\n2500001",
    "card,pin\n" + "".join(f"{2500001 + number},4711\n" for number in range(30)) + "25003,815",
    "",
)
# Words that French has not: any of them left is a sentence that was not translated.
ENGLISH = re.compile(
    r"\b(?:the|is|are|not|no|of|there|and|than|must|write|empty|which|already|none|neither|with|file|line|at|more)\b",
    re.IGNORECASE,
)


def files() -> list[tuple[str, str]]:
    """Each kind with each of its files; the first row of a kind belongs to the columns before it."""
    found = []
    for kind, (head, first, *others) in WRONG.items():
        found += [(kind, f"{head}\n{first}"), *((kind, other) for other in others)]
    return found


@pytest.fixture
def network_team(desk: Desk, town: Town, db: Session) -> Clerk:
    return desk.at_work("nour", Role.NETWORK, Role.ADMIN)


def test_each_fault_of_a_file_is_told_in_french(network_team: Clerk) -> None:
    told, left = 0, list[tuple[str, str]]()
    for kind, content in files():
        page = f"/staff/records/{kind}/-/file"
        network_team.get(f"{page}?lang=fr")
        network_team.press(f"{page}?lang=fr", file=(io.BytesIO(content.encode()), "x.csv"))
        assert network_team.page.status_code == 400, (kind, content)
        for line in re.findall(r"<li>(.*?)</li>", refused_box(network_team), re.DOTALL):
            told += 1
            left += [(kind, html.unescape(line))] if english_in(line) else []
    assert left == []
    assert told > 100, told


def test_each_fault_of_a_list_of_cards_is_told_in_french(desk: Desk, town: Town) -> None:
    page, told, left = "/staff/patrons", 0, list[str]()
    clerk = desk.at_work("nour", Role.ADMIN)
    for content in WRONG_CARDS:
        clerk.get(f"{page}?lang=fr")
        clerk.press(f"{page}/look?lang=fr", file=(io.BytesIO(content.encode()), "x.csv"))
        assert clerk.page.status_code == 400, content
        lines = re.findall(r"<li>(.*?)</li>", refused_box(clerk), re.DOTALL)
        told += len(lines)
        left += [html.unescape(line) for line in lines if english_in(line)]
    assert left == []
    assert told > 10, told


def refused_box(clerk: Clerk) -> str:
    (box,) = re.findall(r'<div class="refused".*?</div>', clerk.page.text, re.DOTALL)
    return str(box)


def test_each_fault_of_a_form_is_told_in_french(network_team: Clerk) -> None:
    wrong = {"slug": "A b", "name": "", "latitude": "north", "opening_hours": "Mo 9h", "zone": "Paris"}
    send(network_team, f"{SITES_PAGE}/-/new?lang=fr", **wrong)
    faults = re.findall(r'-wrong">(.*?)<', network_team.page.text)
    assert len(faults) >= len(wrong)
    assert [english_in(fault) for fault in faults] == [[]] * len(faults)


def english_in(line: str) -> list[str]:
    """The English words of a fault, but for what it quotes, the names of columns and the words that a file has."""
    text = re.sub(r"«.*?»", "", html.unescape(re.sub(r"<[^>]*>", "", line)))
    text = re.sub(r"(?:parmi\s|au moins un parmi|les colonnes sont|ces mots).*", "", text)
    return ENGLISH.findall(re.sub(r"\(\w+\)|\w+_\w+|\b(?:yes|no)\b(?= \()", "", text))


@pytest.mark.parametrize("path", JUDGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_judges_records_says_it_in_sentences(path: Path) -> None:
    """A text made in any other way would reach a French page in English. Types see to that where faults are yielded."""
    bare = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            (given, *_) = node.exc.args
            name = ast.unparse(node.exc.func)
            is_plain = isinstance(given, ast.JoinedStr | ast.Constant)
            if is_plain and name in ("ValueError", "InvalidHours", "InvalidMac", "InvalidGateway"):
                bare.append(f"{path.parent.name}/{path.name}: {ast.unparse(given).strip(chr(39))}")
    assert [one for one in bare if not any(own in one for own in OWN)] == []
