"""Counters of RADIUS accounting: cumulative within a session, of 32 bits or 64, and not always what they should be.

Pure functions: how much further a counter is than in the newest packet before this one.
"""

from __future__ import annotations

from gateways.radius.accounting import Counter

MODULUS, HALF = 2**32, 2**31


def advanced(last: int, counter: Counter) -> tuple[int, int]:
    """By how much the counter has grown since it was `last`, and what it is now.

    A counter of 32 bits that is lower than before has gone round where that is the shorter way (RFC 1982 section 3.2);
    otherwise, and where it has its upper bits, it has begun again from nothing.
    """
    new = counter.value
    if counter.is_whole:
        return (new - last, new) if new >= last else (new, new)
    step = (new - last) % MODULUS
    # As far as is known it has never gone round: then a great step up is one, too.
    if new >= last % MODULUS or step < HALF:
        return step, last + step
    return new, new
