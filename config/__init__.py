"""Settings: those of one installation, read once from the environment and checked as a whole."""

from __future__ import annotations

from config.openid import OpenIdSettings
from config.reader import IpNetwork, Secret, SettingsError
from config.settings import LdapSettings, NestedGroups, Serves, Settings
from config.smtp import MailSecurity, SmtpSettings

__all__ = [
    "IpNetwork",
    "LdapSettings",
    "MailSecurity",
    "NestedGroups",
    "OpenIdSettings",
    "Secret",
    "Serves",
    "Settings",
    "SettingsError",
    "SmtpSettings",
]
