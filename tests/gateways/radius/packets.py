"""Attributes as rlm_rest writes them."""

from __future__ import annotations

from typing import Any


def body(**attributes: Any) -> dict[str, Any]:
    """A packet of these attributes, `_` for `-`; a list gives several values."""
    return {
        name.replace("_", "-"): {
            "type": "integer" if isinstance(value, int) else "string",
            "value": value if isinstance(value, list) else [value],
        }
        for name, value in attributes.items()
    }
