"""A town with schools: a network of theirs, three schools with a line, a trolley, a class that stays."""

from __future__ import annotations

from sqlalchemy.orm import Session

from sites.import_export import SCHOOL_LINES, TABLET_CLASSES, TABLETS
from sites.models import Network, Site, SiteKind
from tests.imports import import_records
from tests.town import make_network, make_site

NETWORK = "ecoles"
LINES = b"""site,stage,medium,line_down_kbps,line_up_kbps,works_on,resolver,wifi,wifi_hours
ecole-bregille,primary,fibre,300000,100000,,9.9.9.11,classes,
ecole-helvetie,nursery,adsl,8000,800,2027-02-15,9.9.9.11,hours,"Mo-Fr 08:00-17:00; PH,SH off"
college-diderot,secondary,fibre,500000,500000,,9.9.9.11,always,
"""
CLASSES = b"""slug,name,network,stops,rate_down_kbps
chariot-1,Chariot 1,ecoles,"ecole-bregille Mo,Th 08:30-11:30; SH off | ecole-helvetie",
diderot-a,Diderot A,ecoles,"college-diderot Mo-Fr 08:00-17:00; PH,SH off",4000
"""
TABLETS_OF_TWO = b"""slug,class,mac,serial,model,bought_on,state
tab-001,chariot-1,02:00:00:00:7a:01,S1,Galaxy Tab A9,2026-09-01,in_use
tab-002,chariot-1,02:00:00:00:7a:02,S2,Galaxy Tab A9,2026-09-01,in_use
tab-003,chariot-1,02:00:00:00:7a:03,S3,Galaxy Tab A9,2026-09-01,repair
tab-101,diderot-a,02:00:00:00:7b:01,S4,iPad,,in_use
"""


def build_schools(db: Session) -> Network:
    """The schools and their network, without gateways."""
    network = make_network(slug=NETWORK, name="Écoles", ssid="ECOLES", ads=False)
    for slug in ("ecole-bregille", "ecole-helvetie", "college-diderot"):
        db.add(make_site(slug, network, kind=SiteKind.SCHOOL, school_zone="A", ads_allowed=False))
    db.flush()
    return network


def bring_inventory(db: Session) -> None:
    """Lines, classes and tablets, as files."""
    import_records(db, SCHOOL_LINES, LINES)
    import_records(db, TABLET_CLASSES, CLASSES)
    import_records(db, TABLETS, TABLETS_OF_TWO)


def school(db: Session, slug: str) -> Site:
    return db.query(Site).filter_by(slug=slug).one()
