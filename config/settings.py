"""The settings of one installation, read once from the environment and checked as a whole.

Names carry the prefix ``AROBASE_``. A secret may come from a file instead: ``AROBASE_X_FILE`` holds the path.
Every fault is collected and reported at once in `SettingsError`; an unknown ``AROBASE_`` name is a fault, because
a typo is not a default.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from config.addresses import LOOPBACK, check_webhook, read_database_url, read_host, read_ldap_url, read_origin
from config.authorities import read_authorities
from config.filters import ATTRIBUTE, check_filter
from config.names import split_name
from config.openid import OpenIdSettings, read_openid
from config.reader import IpNetwork, Reader, Secret, whole_path
from config.smtp import SmtpSettings, read_smtp

SHORTEST_SECRET = 32
METROPOLITAN_FRANCE = ZoneInfo("Europe/Paris")
LANGUAGES = ("fr", "en", "de", "it", "es", "ar")
# ISO 639.
_LANGUAGE = re.compile("[a-z]{2,3}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Serves(enum.StrEnum):
    """What this process serves. Apart, the staff's pages can be kept off the network that guests are on, and whatever
    guests do keeps no gateway from its feed."""

    ALL = "all"
    GUESTS = "guests"
    STAFF = "staff"
    GATEWAYS = "gateways"


class NestedGroups(enum.StrEnum):
    """How it is found out that a person is in a group through other groups."""

    # By the matching rule where the server says that it is an Active Directory, else by walking.
    AUTO = "auto"
    CHAIN = "chain"
    WALK = "walk"
    OFF = "off"


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
    # Required in the environment: no town is called by another's name.
    town: str = ""
    # Who answers for the wifi, as it begins a sentence; empty: the town itself, in the words of each language.
    authority: str = ""
    # What guests' pages and tickets speak, the town's own language first; portal.app checks that there is a catalogue.
    languages: tuple[str, ...] = LANGUAGES
    # Of pages and files about the whole town; a site has its own.
    zone: ZoneInfo = METROPOLITAN_FRANCE
    # What stands on the map beside the sites, see `sites.map_background`.
    map_file: Path | None = None
    # The texts that go with an answer to a requisition; None: the French ones.
    legal_note_file: Path | None = None
    contact: str = "wifi@example.org"
    dpo_contact: str = "dpo@example.org"
    accessibility_audit_on: str | None = None
    serves: Serves = Serves.ALL
    # Where the staff reach their pages; without one, under the portal's own address.
    staff_url: str | None = None
    # Where the sweep leaves anchors of the audit log: a folder that another machine reads.
    anchor_folder: Path | None = None
    # Where a server keeps what it can make again; one of its own, see `portal.caches.templates`.
    cache_folder: Path | None = None
    # Where the front is asked for its certificate when the portal's name does not answer from this machine.
    front_address: str = "127.0.0.1"
    # What takes our mail; None: none is sent.
    smtp: SmtpSettings | None = None
    # Where receipt printers may be; none named: everywhere but on this machine, see `sites.printers`.
    printer_networks: tuple[IpNetwork, ...] = ()
    # Where alerts go beside the people that a staff page names.
    alert_webhook_url: Secret | None = None
    # What signs the posts.
    alert_webhook_key: Secret | None = None
    # Where staff sign in beside their accounts here.
    openid: OpenIdSettings | None = None
    staff_ldap: LdapSettings | None = None
    # How long a sign-in by the directory goes on without the directory having said so again.
    staff_affirmed_minutes: int = 60

    @property
    def portal_host(self) -> str:
        return urlsplit(self.portal_url).netloc

    @property
    def own_url(self) -> str:
        """The address that this process is reached at."""
        return self.staff_url if self.serves is Serves.STAFF and self.staff_url else self.portal_url

    @property
    def staff_issuer(self) -> str | None:
        """The name of the directory that answers for staff; None where all accounts are local."""
        if self.staff_ldap is not None:
            return f"ldap:{self.staff_ldap.base_dn}"
        return self.openid.issuer if self.openid else None

    @property
    def is_https(self) -> bool:
        return self.own_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check all settings.

        Raises `SettingsError` with every fault found, never only the first.
        """
        reader = Reader(environ)
        settings = _settings(reader)
        reader.finish()
        return settings


def _settings(reader: Reader) -> Settings:
    development = reader.flag("DEVELOPMENT", default=False)
    return Settings(
        secret_key=_secret_key(reader),
        portal_url=reader.required("PORTAL_URL", lambda text: _origin(text, development)) or "",
        database_url=reader.required("DATABASE_URL", read_database_url) or "",
        development=development,
        ldap=_ldap(reader, "LDAP_"),
        trusted_proxies=reader.networks("TRUSTED_PROXIES", ()),
        metrics_clients=reader.networks("METRICS_CLIENTS", ("127.0.0.0/8", "::1/128")),
        printer_networks=reader.networks("PRINTER_NETWORKS", ()),
        town=reader.required("TOWN", _town) or "",
        authority=reader.parsed("AUTHORITY", _town) or "",
        languages=reader.parsed("LANGUAGES", _languages) or LANGUAGES,
        zone=reader.parsed("ZONE", _zone) or METROPOLITAN_FRANCE,
        map_file=reader.parsed("MAP_FILE", _file),
        legal_note_file=reader.parsed("LEGAL_NOTE_FILE", _file),
        contact=reader.parsed("CONTACT", _contact) or "wifi@example.org",
        dpo_contact=reader.parsed("DPO_CONTACT", _contact) or "dpo@example.org",
        accessibility_audit_on=reader.parsed("ACCESSIBILITY_AUDIT_ON", _day),
        serves=reader.word("SERVES", Serves, Serves.ALL),
        staff_url=reader.parsed("STAFF_URL", lambda text: _origin(text, development)),
        anchor_folder=reader.parsed("ANCHOR_FOLDER", _folder),
        cache_folder=reader.parsed("CACHE_FOLDER", _folder),
        front_address=reader.parsed("FRONT_ADDRESS", _front_address) or "127.0.0.1",
        staff_ldap=_staff_ldap(reader),
        openid=read_openid(reader, reader.parsed("OIDC_CA_FILE", _ca_file), development=development),
        staff_affirmed_minutes=reader.whole("STAFF_AFFIRMED_MINUTES", 60, least=10, most=720),
        smtp=read_smtp(reader, reader.parsed("SMTP_CA_FILE", _ca_file)),
        alert_webhook_url=_webhook(reader),
        alert_webhook_key=_webhook_key(reader),
    )


def _webhook(reader: Reader) -> Secret | None:
    url = reader.secret("ALERT_WEBHOOK_URL", strip=True)
    if url is not None:
        try:
            check_webhook(url.reveal())
        except ValueError as error:
            reader.fault("ALERT_WEBHOOK_URL", f"{error}.")
    return url


def _webhook_key(reader: Reader) -> Secret | None:
    key = reader.secret("ALERT_WEBHOOK_KEY", strip=True)
    if key is not None and len(key.reveal()) < SHORTEST_SECRET:
        reader.fault("ALERT_WEBHOOK_KEY", f"is shorter than {SHORTEST_SECRET} characters.")
    return key


def _secret_key(reader: Reader) -> Secret:
    make_one = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    before = len(reader.faults)
    secret = reader.secret("SECRET_KEY", strip=True)
    if secret is None:
        if len(reader.faults) == before:
            reader.fault("SECRET_KEY", f"is missing. {make_one}")
        return Secret("")
    value = secret.reveal()
    if len(value) < SHORTEST_SECRET:
        reader.fault("SECRET_KEY", f"is shorter than {SHORTEST_SECRET} characters. {make_one}")
    elif len(set(value)) < 10 or "change" in value.lower() or "secret" in value.lower():
        reader.fault("SECRET_KEY", f"looks like a default or an example. {make_one}")
    return secret


def _origin(text: str, development: bool) -> str:
    url = read_origin(text, "https://portal.example.org")
    if url.startswith("http://") and not development:
        raise ValueError("must be https: phones ignore a portal without TLS (RFC 8908 section 4)")
    if url.startswith("http://") and url.removeprefix("http://").removesuffix(_port(url)) not in LOOPBACK:
        raise ValueError("may be http in development only on 127.0.0.1 or localhost")
    return url


def _port(url: str) -> str:
    port = urlsplit(url).port
    return f":{port}" if port else ""


def _contact(text: str) -> str:
    if len(text) > 200:
        raise ValueError("is too long for a page: write an address or a telephone number")
    if "@" in text and not _MAIL.fullmatch(text):
        raise ValueError(f"must be one address such as wifi@example.org, or no address at all, not {text!r}")
    return text


def _town(text: str) -> str:
    if len(text) > 80:
        raise ValueError(f"is {len(text)} characters long, at most 80 fit on a page")
    return text


def _languages(text: str) -> tuple[str, ...]:
    codes = tuple(part.strip() for part in text.split(","))
    for code in codes:
        if not _LANGUAGE.fullmatch(code):
            raise ValueError(
                f"must hold codes of languages with commas between, such as fr,en; {code!r} is none"
            )
        if codes.count(code) > 1:
            raise ValueError(f"names {code} twice")
    return codes


def _zone(text: str) -> ZoneInfo:
    # Asked by name first: ZoneInfo reads any file below the folders of zones.
    if text not in available_timezones():
        raise ValueError(
            f"must be a name of the time zone database such as Europe/Paris or Indian/Reunion, not {text[:40]!r}"
        )
    return ZoneInfo(text)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"must be a day such as 2027-03-01, not {text!r}") from None


def _file(text: str) -> Path:
    path = whole_path(text)
    try:
        path.read_bytes()
    except OSError as error:
        raise ValueError(f"names {path}, which cannot be read: {error.strerror}") from None
    return path


def _folder(text: str) -> Path:
    path = whole_path(text)
    # It may be a mount that is away for the moment.
    if path.exists() and not path.is_dir():
        raise ValueError(f"names {path}, which is no folder")
    return path


def _ldap(reader: Reader, names: str) -> LdapSettings | None:
    """The directory that the settings beginning with `names` describe; None where there are none."""
    if not reader.has_any(names):
        return None
    settings = LdapSettings(
        urls=reader.required(f"{names}URLS", _ldap_urls) or (),
        bind_dn=reader.required(f"{names}BIND_DN", _bind_name) or "",
        bind_password=reader.secret(f"{names}BIND_PASSWORD", strip=False) or Secret(""),
        base_dn=reader.required(f"{names}BASE_DN", _name) or "",
        user_filter=reader.parsed(f"{names}USER_FILTER", _filter) or "(uid={login})",
        starttls=reader.flag(f"{names}STARTTLS", default=False),
        verify=reader.flag(f"{names}VERIFY", default=True),
        ca_file=reader.parsed(f"{names}CA_FILE", _ca_file),
        server_name=reader.parsed(f"{names}SERVER_NAME", _server_name),
        timeout_seconds=reader.number(f"{names}TIMEOUT_SECONDS", 5.0, least=0.5, most=30),
        slots=reader.whole(f"{names}SLOTS", 4, least=1, most=64),
        id_attribute=reader.parsed(f"{names}ID_ATTRIBUTE", _attribute) or "entryUUID",
        category_attribute=reader.parsed(f"{names}CATEGORY_ATTRIBUTE", _attribute),
        expiry_attribute=reader.parsed(f"{names}EXPIRY_ATTRIBUTE", _attribute),
        lock_attribute=reader.parsed(f"{names}LOCK_ATTRIBUTE", _attribute),
        required_group=reader.parsed(f"{names}REQUIRED_GROUP", _name),
        group_base_dn=reader.parsed(f"{names}GROUP_BASE_DN", _name),
        nested_groups=reader.word(f"{names}NESTED_GROUPS", NestedGroups, NestedGroups.AUTO),
    )
    if not settings.bind_password and not any(f"{names}BIND_PASSWORD" in fault for fault in reader.faults):
        reader.fault(f"{names}BIND_PASSWORD", "is missing.")
    for url in settings.urls:
        if url.startswith("ldap://") and not settings.starttls:
            reader.fault(f"{names}URLS", f"holds {url!r}: without TLS, set AROBASE_{names}STARTTLS=true.")
    if settings.group_base_dn and not settings.required_group and names == "LDAP_":
        reader.fault(f"{names}GROUP_BASE_DN", "is of no use without AROBASE_LDAP_REQUIRED_GROUP.")
    return settings


def _staff_ldap(reader: Reader) -> LdapSettings | None:
    settings = _ldap(reader, "STAFF_LDAP_")
    if settings is not None and settings.required_group:
        reader.fault("STAFF_LDAP_REQUIRED_GROUP", "is not for staff: groups get their roles on a page.")
    if settings is not None and reader.has_any("OIDC_"):
        reader.fault(
            "STAFF_LDAP_URLS", "and AROBASE_OIDC_ISSUER are both set: one directory answers for staff."
        )
    return settings


def _ldap_urls(text: str) -> tuple[str, ...]:
    urls: list[str] = []
    faults: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            urls.append(read_ldap_url(part))
        except ValueError as error:
            faults.append(str(error))
    if faults or not urls:
        raise ValueError("; it ".join(faults) or "names no server: write ldaps://ldap.example.org")
    if twice := [url for url in urls if urls.count(url) > 1]:
        raise ValueError(f"names {twice[0]} twice")
    return tuple(urls)


def _name(text: str) -> str:
    """A distinguished name. Raises ValueError."""
    try:
        split_name(text)
    except ValueError as error:
        raise ValueError(f"must be a DN such as ou=people,dc=example,dc=org; {error}") from None
    return text


def _bind_name(text: str) -> str:
    # Active Directory also takes a user principal name, or DOMAIN\user.
    is_of_windows = "=" not in text and ("@" in text or "\\" in text)
    return text if is_of_windows else _name(text)


def _filter(text: str) -> str:
    check_filter(text)
    return text


def _attribute(text: str) -> str:
    if not ATTRIBUTE.fullmatch(text):
        raise ValueError(f"must be the name of one attribute, such as employeeNumber, not {text!r}")
    return text


def _front_address(text: str) -> str:
    try:
        return read_host(text).strip("[]")
    except ValueError:
        raise ValueError(
            f"must be an address or a name without a port, such as 192.0.2.7, not {text!r}"
        ) from None


def _server_name(text: str) -> str:
    if "/" in text or (":" in text and "[" not in text and text.count(":") == 1):
        raise ValueError(f"must be the name in the certificate alone, such as ldap.example.org, not {text!r}")
    try:
        return read_host(text).strip("[]")
    except ValueError:
        raise ValueError(
            f"must be the name in the certificate, such as ldap.example.org, not {text!r}"
        ) from None


def _ca_file(text: str) -> Path:
    path = Path(text)
    read_authorities(path)
    return path
