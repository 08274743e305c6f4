"""The photograph of a site and the logo of a network, as staff set them and take them away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import PICTURE_REMOVED, PICTURE_SET, AuditAction, ObjectKind
from auth.audit.actor import Actor
from sites import pictures
from sites.images.preparing import PreparedImage
from sites.models import Network, Site


def set_picture(
    db: Session,
    owner: Site | Network,
    image: PreparedImage,
    *,
    alt: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> None:
    """Give the site this photograph, or the network this logo. Raises `RefusedImage` without words for it."""
    if isinstance(owner, Site):
        pictures.set_photograph(db, owner, image, alt=alt)
    else:
        pictures.set_logo(db, owner, image, alt=alt)
    _note(db, PICTURE_SET, owner, actor=actor, now=now)


def remove_picture(db: Session, owner: Site | Network, *, actor: Actor, now: datetime) -> None:
    """Take it away, with an entry where there was one."""
    if isinstance(owner, Site) and pictures.photograph(owner):
        pictures.remove_photograph(db, owner)
    elif isinstance(owner, Network) and pictures.network_mark(owner):
        pictures.remove_logo(db, owner)
    else:
        return
    _note(db, PICTURE_REMOVED, owner, actor=actor, now=now)


def _note(db: Session, action: AuditAction, owner: Site | Network, *, actor: Actor, now: datetime) -> None:
    if isinstance(owner, Site):
        log.append(
            db, action, ObjectKind.SITE.named(owner.slug), actor=actor, network=actor.only_network, now=now
        )
    else:
        log.append(db, action, ObjectKind.NETWORK.named(owner.slug), actor=actor, network=owner.slug, now=now)
