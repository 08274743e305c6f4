"""How long the ledger of impressions is kept: each to its term, without its session where that leaves first."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from ads.media.store import OWNER
from ads.models import Campaign, ChoiceInputs, Creative, Impression
from sessions.data_classes import DataClass
from sessions.models import AccessSession
from sessions.retention import holds
from sessions.retention.models import LegalHold
from sessions.retention.purge_policies import Condition, Cutoffs, Dependent, RowPurge, stay_held_by
from sites.images.models import ImageFile


def _held(hold: LegalHold) -> Condition:
    of_held = select(AccessSession.id).where(AccessSession.id == Impression.access_id, stay_held_by(hold))
    by_itself = holds.covers(
        hold, site=Impression.site_id, network=Impression.network_id, began=Impression.accepted_at
    )
    return or_(of_held.exists(), by_itself)


IMPRESSIONS = RowPurge(
    Impression,
    DataClass.ACCEPTANCE,
    (Impression.id,),
    lambda cutoffs: Impression.accepted_at < cutoffs[DataClass.ACCEPTANCE],
    _held,
)
# What was shown where stays countable; on whose device is forgotten with the session.
OF_SESSIONS = Dependent(
    Impression, DataClass.ACCEPTANCE, Impression.access_id, detach=("access_id", "lease_id")
)
# Kept for as long as a choice that was made from it may have to be explained: what is used is dated anew.
CHOICES = RowPurge(
    ChoiceInputs,
    DataClass.ACCEPTANCE,
    (ChoiceInputs.digest,),
    lambda cutoffs: ChoiceInputs.used_at < cutoffs[DataClass.ACCEPTANCE],
)


def _of_campaigns_long_over(cutoffs: Cutoffs) -> Condition:
    cutoff = cutoffs[DataClass.ACCEPTANCE]
    over = or_(Campaign.ends_at < cutoff, Campaign.stopped_at < cutoff)
    owns = func.substr(ImageFile.owner, len(OWNER) + 1) == Creative.slug
    campaign = select(Creative.id).join(Creative.campaign).where(owns, over)
    return ImageFile.owner.startswith(OWNER) & campaign.exists()


# Pictures and videos leave a term after their campaign was over or stopped; its texts and figures stay.
MEDIA = RowPurge(ImageFile, DataClass.ACCEPTANCE, (ImageFile.id,), _of_campaigns_long_over)
