"""The registers that say which managed devices are to be online now."""

from __future__ import annotations

from auth import classes
from auth.fixed_devices import register
from auth.managed import Provider

# Of two records of one card the first holds.
PROVIDERS: tuple[Provider, ...] = (register.wanted, classes.wanted)
