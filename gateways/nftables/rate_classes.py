"""A pair of rate ceilings: its set of leases, its token buckets, and the chains that police and count. Pure text."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple, Self

# A token bucket must hold a few offloaded packets of 64 kB, or a single one is always over the rate.
BURST_BYTES = 262144


class RateClass(NamedTuple):
    """A pair of ceilings in kbit/s; 0 means none. Leases of the same pair share a set and its rules."""

    down_kbps: int
    up_kbps: int

    @property
    def suffix(self) -> str:
        return f"d{self.down_kbps}_u{self.up_kbps}"

    @property
    def lease_set(self) -> str:
        return f"lease_{self.suffix}"

    @classmethod
    def of_set(cls, name: str) -> Self | None:
        """The class whose lease set has this name, or None when it is another set."""
        kind, _, rest = name.partition("_d")
        down, _, up = rest.partition("_u")
        if kind != "lease" or not (down.isdecimal() and up.isdecimal()):
            return None
        return cls(int(down), int(up))


@functools.lru_cache(maxsize=256)
def rate_class(down_kbps: int, up_kbps: int) -> RateClass:
    """The one object of this pair."""
    return RateClass(down_kbps, up_kbps)


def class_declarations(rates: RateClass) -> str:
    dynamic = "{ type mark; size 262144; flags dynamic,timeout; timeout 5m; }"
    return (
        f"  set {rates.lease_set} {{ type mark; flags timeout; }}\n"
        f"  set police_{rates.suffix}_up {dynamic}\n"
        f"  set police_{rates.suffix}_down {dynamic}\n"
    )


def class_calls(rates: RateClass) -> dict[str, str]:
    """The one rule of each chain that looks this class up."""
    found = f"meta mark @{rates.lease_set}"
    return {
        "pass": f"{found} accept",
        "up": f"{found} goto rate_{rates.suffix}_up",
        "down": f"{found} goto rate_{rates.suffix}_down",
    }


def rate_chains(rates: RateClass) -> str:
    text = ""
    for way, kbps in (("up", rates.up_kbps), ("down", rates.down_kbps)):
        rules = [f"update @count_{way} {{ meta mark counter }}", "accept"]
        if kbps:
            ceiling = f"limit rate over {kbps * 125} bytes/second burst {BURST_BYTES} bytes"
            rules.insert(0, f"update @police_{rates.suffix}_{way} {{ meta mark {ceiling} }} drop")
        text += chain_text(f"rate_{rates.suffix}_{way}", rules)
    return text


def chain_text(name: str, rules: Iterable[str], head: str = "") -> str:
    lines = "".join(f"    {rule}\n" for rule in rules)
    return f"  chain {name} {{\n{head}{lines}  }}\n"
