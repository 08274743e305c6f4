"""How an ad blocker looks at names."""

from __future__ import annotations

import re

# An "ad" inside a longer word is none; these are, wherever they stand.
BLOCKED_PARTS = re.compile(r"advert|banner|promo|sponsor|publicit", re.IGNORECASE)
BLOCKED_WORDS = {"ad", "ads", "pub", "pubs"}


def looks_like_advertising(text: str) -> bool:
    words = set(re.split(r"[^a-z0-9]+", text.lower()))
    return bool(BLOCKED_PARTS.search(text) or words & BLOCKED_WORDS)
