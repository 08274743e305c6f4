"""The announcements of the demo town, loaded as any town's campaigns are."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ads import campaigns, loading
from auth.audit.actor import SYSTEM, Actor, command_line
from sites.demo.town import FILES

ANNOUNCEMENTS = FILES / "announcements.json"
# Whoever runs the command answers for what came with the product: two, as for every campaign.
OPERATOR = command_line()


def load_announcements(db: Session, *, now: datetime, actor: Actor = OPERATOR) -> int:
    """Have the demo town's announcements run where they are missing; how many creatives were made."""
    document = json.loads(ANNOUNCEMENTS.read_text(encoding="utf-8"))
    zone = ZoneInfo("Europe/Paris")
    loaded = loading.load(db, document, zone=zone, actor=SYSTEM, now=now)
    for slug in loaded.campaigns:
        campaigns.propose(db, slug, actor=SYSTEM, now=now)
        campaigns.approve(db, slug, actor=actor, zone=zone, now=now)
    return loaded.creatives
