"""Blocks in words for staff."""

from __future__ import annotations

from auth.blocks.models import Block, BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from portal.i18n.translation import say
from sessions.log.masks import MASKED


def block_words() -> dict[str, object]:
    return {"target_in_words": target_in_words, "cause_in_words": cause_in_words, "causes": list(BlockCause)}


def target_in_words(block: Block | BlockRequest) -> str:
    """Whom a block names, masked as in the log: enough to tell two apart."""
    if block.kind is BlockKind.DEVICE:
        return say("Device %(mac)s", mac=MASKED.mac(block.target))
    return say("Person %(pseudonym)s", pseudonym=MASKED.subject(block.target))


def cause_in_words(cause: BlockCause | str) -> str:
    return {
        BlockCause.DISTURBANCE: say("disturbs the network"),
        BlockCause.MISUSE: say("terms of use not kept"),
        BlockCause.LOST: say("reported lost or stolen"),
        BlockCause.DECISION: say("another decision"),
    }[BlockCause(cause)]
