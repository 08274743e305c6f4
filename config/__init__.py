"""The settings of one installation, read once from the environment and checked as a whole."""

from __future__ import annotations

from config.settings import (
    IpNetwork,
    LdapSettings,
    NestedGroups,
    Secret,
    Serves,
    Settings,
    SettingsError,
)

__all__ = ["IpNetwork", "LdapSettings", "NestedGroups", "Secret", "Serves", "Settings", "SettingsError"]
