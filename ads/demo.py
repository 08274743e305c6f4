"""The announcements of the demo town, loaded as any town's campaigns are."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy.orm import Session

from ads import campaigns, loading
from auth.audit.actor import SYSTEM, Actor, command_line
from sites.demo.town import FILES, ZONE

ANNOUNCEMENTS = FILES / "announcements.json"
# Whoever runs the command answers for what came with the product: two, as for every campaign.
OPERATOR = command_line()


def read_announcements(known: dict[str, frozenset[str]], *, with_pictures: bool = True) -> loading.Wanted:
    """The announcements of the file, `known` being what `loading.known_names` gives. A picture takes a second."""
    document = json.loads(ANNOUNCEMENTS.read_text(encoding="utf-8"))
    if not with_pictures:
        for campaign in document["campaigns"]:
            for creative in campaign["creatives"]:
                creative.pop("picture", None)
    return loading.read(document, known, zone=ZONE, folder=FILES)


def load_announcements(
    db: Session, *, now: datetime, actor: Actor = OPERATOR, wanted: loading.Wanted | None = None
) -> int:
    """Have the demo town's announcements run where they are missing; how many creatives were made.

    `wanted` is what `read_announcements` gave; without it they are text alone.
    """
    wanted = wanted or read_announcements(loading.known_names(db), with_pictures=False)
    loaded = loading.save(db, wanted, actor=SYSTEM, now=now)
    for slug in loaded.campaigns:
        campaigns.propose(db, slug, actor=SYSTEM, now=now)
        campaigns.approve(db, slug, actor=actor, zone=ZONE, now=now)
    return loaded.creatives
