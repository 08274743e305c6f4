"""The settings of one installation, read once from the environment and checked as a whole.

Names carry the prefix ``AROBASE_``. A secret may come from a file instead: ``AROBASE_X_FILE`` holds the path.
Every fault is collected and reported at once in `SettingsError`; an unknown ``AROBASE_`` name is a fault, because
a typo is not a default.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

PREFIX = "AROBASE_"
SHORTEST_SECRET = 32
Word = TypeVar("Word", bound=enum.StrEnum)
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """The environment does not describe an installation. `faults` holds one sentence for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Serves(enum.StrEnum):
    """Which pages this process serves. Apart, the staff's can be kept off the network that guests are on."""

    ALL = "all"
    GUESTS = "guests"
    STAFF = "staff"


class NestedGroups(enum.StrEnum):
    """How it is found out that a person is in a group through other groups."""

    # By the matching rule where the server says that it is an Active Directory, else by walking.
    AUTO = "auto"
    CHAIN = "chain"
    WALK = "walk"
    OFF = "off"


class Secret:
    """A secret value that shows itself to nobody: `repr` and tracebacks print ``Secret('***')``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """How to ask the library's directory. Attribute names map the directory's words to ours."""

    urls: tuple[str, ...]
    bind_dn: str
    bind_password: Secret
    base_dn: str
    user_filter: str = "(uid={login})"
    starttls: bool = False
    verify: bool = True
    ca_file: Path | None = None
    server_name: str | None = None
    timeout_seconds: float = 5.0
    slots: int = 4
    id_attribute: str = "entryUUID"
    category_attribute: str | None = None
    expiry_attribute: str | None = None
    lock_attribute: str | None = None
    required_group: str | None = None
    # Where the groups stand through which somebody may be in it; None: what it has in common with `base_dn`.
    group_base_dn: str | None = None
    nested_groups: NestedGroups = NestedGroups.AUTO


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the operator decides. Per-site choices are rows in the database, not settings."""

    secret_key: Secret
    portal_url: str
    database_url: str
    development: bool = False
    ldap: LdapSettings | None = None
    trusted_proxies: tuple[IpNetwork, ...] = ()
    metrics_clients: tuple[IpNetwork, ...] = field(
        default_factory=lambda: (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    )
    town: str = "Besançon"
    contact: str = "wifi@example.org"
    dpo_contact: str = "dpo@example.org"
    accessibility_audit_on: str | None = None
    serves: Serves = Serves.ALL
    # Where the staff reach their pages; without one, under the portal's own address.
    staff_url: str | None = None
    # Where the sweep leaves anchors of the audit trail: a folder that another machine reads.
    anchor_folder: Path | None = None

    @property
    def portal_host(self) -> str:
        return urlsplit(self.portal_url).netloc

    @property
    def own_url(self) -> str:
        """The address that this process is reached at."""
        return self.staff_url if self.serves is Serves.STAFF and self.staff_url else self.portal_url

    @property
    def own_host(self) -> str:
        return urlsplit(self.own_url).netloc

    @property
    def is_https(self) -> bool:
        return self.own_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check all settings.

        Raises `SettingsError` with every fault found, never only the first.
        """
        return _Reader(environ).settings()


class _Reader:
    """Reads names one by one, remembers which were asked for, and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        self._known: set[str] = set()
        self._faults: list[str] = []

    def settings(self) -> Settings:
        development = self._flag("DEVELOPMENT", default=False)
        settings = Settings(
            secret_key=self._secret_key(),
            portal_url=self._url("PORTAL_URL", development, required=True),
            database_url=self._text("DATABASE_URL", required=True),
            development=development,
            ldap=self._ldap(),
            trusted_proxies=self._networks("TRUSTED_PROXIES", ()),
            metrics_clients=self._networks("METRICS_CLIENTS", ("127.0.0.0/8", "::1/128")),
            town=self._text("TOWN", "Besançon"),
            contact=self._text("CONTACT", "wifi@example.org"),
            dpo_contact=self._text("DPO_CONTACT", "dpo@example.org"),
            accessibility_audit_on=self._optional("ACCESSIBILITY_AUDIT_ON"),
            serves=self._word("SERVES", Serves, Serves.ALL),
            staff_url=self._url("STAFF_URL", development) or None,
            anchor_folder=Path(folder) if (folder := self._optional("ANCHOR_FOLDER")) else None,
        )
        for name in sorted(set(self._environ) - self._known):
            self._faults.append(f"{name} is not a setting of Arobase. See docs/settings.md for the list.")
        if self._faults:
            raise SettingsError(self._faults)
        return settings

    def _fault(self, name: str, reason: str) -> None:
        self._faults.append(f"{PREFIX}{name} {reason}")

    def _raw(self, name: str) -> str | None:
        self._known.add(PREFIX + name)
        value = self._environ.get(PREFIX + name, "").strip()
        return value or None

    def _text(self, name: str, default: str = "", *, required: bool = False) -> str:
        value = self._raw(name)
        if value is None and required:
            self._fault(name, "is missing.")
        return value if value is not None else default

    def _optional(self, name: str) -> str | None:
        return self._raw(name)

    def _secret(self, name: str) -> Secret | None:
        value, path = self._raw(name), self._raw(name + "_FILE")
        if value and path:
            self._fault(name, f"and {PREFIX}{name}_FILE are both set: keep one.")
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self._fault(name + "_FILE", f"names a file that cannot be read: {error}.")
                return None
        return Secret(value) if value else None

    def _secret_key(self) -> Secret:
        secret = self._secret("SECRET_KEY")
        make_one = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        if secret is None:
            self._fault("SECRET_KEY", f"is missing. {make_one}")
            return Secret("")
        value = secret.reveal()
        if len(value) < SHORTEST_SECRET:
            self._fault("SECRET_KEY", f"is shorter than {SHORTEST_SECRET} characters. {make_one}")
        elif len(set(value)) < 10 or "change" in value.lower() or "secret" in value.lower():
            self._fault("SECRET_KEY", f"looks like a default or an example. {make_one}")
        return secret

    def _word(self, name: str, kind: type[Word], default: Word) -> Word:
        text = self._text(name, default)
        if text not in list(kind):
            self._fault(name, f"must be {', '.join(kind)}, not {text!r}.")
            return default
        return kind(text)

    def _url(self, name: str, development: bool, *, required: bool = False) -> str:
        url = self._text(name, required=required).rstrip("/")
        if not url:
            return url
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            self._fault(name, f"must look like https://portal.example.org, not {url!r}.")
        elif parts.scheme == "http" and not development:
            self._fault(name, "must be https: phones ignore a portal without TLS (RFC 8908 section 4).")
        elif parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            self._fault(name, "may be http in development only on 127.0.0.1 or localhost.")
        return url

    def _flag(self, name: str, *, default: bool) -> bool:
        value = self._raw(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            self._fault(name, f"must be true or false, not {value!r}.")
        return value.lower() == "true"

    def _number(self, name: str, default: float, *, least: float, most: float) -> float:
        value = self._raw(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            self._fault(name, f"must be a number from {least:g} to {most:g}, not {value!r}.")
            return default
        return number

    def _networks(self, name: str, default: tuple[str, ...]) -> tuple[IpNetwork, ...]:
        value = self._raw(name)
        parts = [part.strip() for part in value.split(",")] if value else list(default)
        found: list[IpNetwork] = []
        for part in parts:
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError:
                self._fault(name, f"holds {part!r}, which is not an address or network such as 10.0.0.0/24.")
        return tuple(found)

    def _ldap(self) -> LdapSettings | None:
        read: Callable[[str], str | None] = lambda name: self._optional("LDAP_" + name)  # noqa: E731
        urls = tuple(part.strip() for part in (read("URLS") or "").split(",") if part.strip())
        password = self._secret("LDAP_BIND_PASSWORD")
        settings = LdapSettings(
            urls=urls,
            bind_dn=read("BIND_DN") or "",
            bind_password=password or Secret(""),
            base_dn=read("BASE_DN") or "",
            user_filter=read("USER_FILTER") or "(uid={login})",
            starttls=self._flag("LDAP_STARTTLS", default=False),
            verify=self._flag("LDAP_VERIFY", default=True),
            ca_file=Path(path) if (path := read("CA_FILE")) else None,
            server_name=read("SERVER_NAME"),
            timeout_seconds=self._number("LDAP_TIMEOUT_SECONDS", 5.0, least=0.5, most=30),
            slots=int(self._number("LDAP_SLOTS", 4, least=1, most=64)),
            id_attribute=read("ID_ATTRIBUTE") or "entryUUID",
            category_attribute=read("CATEGORY_ATTRIBUTE"),
            expiry_attribute=read("EXPIRY_ATTRIBUTE"),
            lock_attribute=read("LOCK_ATTRIBUTE"),
            required_group=read("REQUIRED_GROUP"),
            group_base_dn=read("GROUP_BASE_DN"),
            nested_groups=self._word("LDAP_NESTED_GROUPS", NestedGroups, NestedGroups.AUTO),
        )
        if not any(name.startswith(PREFIX + "LDAP_") for name in self._environ):
            return None
        self._check_ldap(settings)
        return settings

    def _check_ldap(self, ldap: LdapSettings) -> None:
        for name, value in (
            ("LDAP_URLS", ldap.urls),
            ("LDAP_BIND_DN", ldap.bind_dn),
            ("LDAP_BIND_PASSWORD", ldap.bind_password),
            ("LDAP_BASE_DN", ldap.base_dn),
        ):
            if not value:
                self._fault(name, "is missing, though other AROBASE_LDAP_ settings are there.")
        for url in ldap.urls:
            if not url.startswith(("ldap://", "ldaps://")):
                self._fault("LDAP_URLS", f"holds {url!r}: each must begin with ldaps:// or ldap://.")
            elif url.startswith("ldap://") and not ldap.starttls:
                self._fault("LDAP_URLS", f"holds {url!r}: without TLS, set AROBASE_LDAP_STARTTLS=true.")
        if "{login}" not in ldap.user_filter:
            self._fault("LDAP_USER_FILTER", "must hold {login} where the card number goes.")
        if ldap.ca_file is not None and not ldap.ca_file.is_file():
            self._fault("LDAP_CA_FILE", f"names no file: {ldap.ca_file}.")
