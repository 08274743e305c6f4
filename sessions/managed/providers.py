"""The registers that say which managed devices are to be online now."""

from __future__ import annotations

from auth import classes
from auth.managed import Provider

PROVIDERS: tuple[Provider, ...] = (classes.wanted,)
