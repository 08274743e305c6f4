"""The town's OpenID provider, by which staff sign in, as an operator names it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.addresses import LOOPBACK
from config.reader import Reader, Secret

# The name of a claim, or of a scope (RFC 6749 section 3.3 allows more signs; nobody uses them).
_WORD = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
_EXAMPLE = "https://login.example.org/realms/town"


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """Whom to ask, as which client, and what its words for people and groups are."""

    issuer: str
    client_id: str
    client_secret: Secret
    # Asked for beside openid.
    scopes: tuple[str, ...] = ("profile",)
    login_claim: str = "preferred_username"
    groups_claim: str = "groups"
    # How people must have shown the provider who they are; none: as the provider sees fit.
    acr_values: tuple[str, ...] = ()
    # The authorities that may have signed the provider's certificate; None: the system's.
    ca_file: Path | None = None
    timeout_seconds: float = 5.0


def read_openid(reader: Reader, ca_file: Path | None, *, development: bool) -> OpenIdSettings | None:
    """None where nothing is set about it. Faults are the reader's."""
    if not reader.has_any("OIDC_"):
        return None
    settings = OpenIdSettings(
        issuer=reader.required("OIDC_ISSUER", lambda text: _issuer(text, development)) or "",
        client_id=reader.required("OIDC_CLIENT_ID", _client_id) or "",
        client_secret=reader.secret("OIDC_CLIENT_SECRET", strip=True) or Secret(""),
        scopes=reader.parsed("OIDC_SCOPES", _words) or ("profile",),
        login_claim=reader.parsed("OIDC_LOGIN_CLAIM", _word) or "preferred_username",
        groups_claim=reader.parsed("OIDC_GROUPS_CLAIM", _word) or "groups",
        acr_values=reader.parsed("OIDC_ACR_VALUES", _words) or (),
        ca_file=ca_file,
        timeout_seconds=reader.number("OIDC_TIMEOUT_SECONDS", 5.0, least=0.5, most=30),
    )
    if not settings.client_secret and not any("OIDC_CLIENT_SECRET" in fault for fault in reader.faults):
        reader.fault("OIDC_CLIENT_SECRET", "is missing.")
    return settings


def _issuer(text: str, development: bool) -> str:
    """The issuer, letter for letter as the provider's tokens name it (OpenID Connect Core section 2)."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"cannot be an address ({error}): write it like {_EXAMPLE}") from None
    if not text.isprintable() or " " in text or parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"must be an address like {_EXAMPLE}")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"holds more than a host and a path: write it like {_EXAMPLE}")
    if "{" in text or parts.path.rstrip("/") in ("/common/v2.0", "/organizations/v2.0", "/consumers/v2.0"):
        raise ValueError("names the tenants of everybody: name the town's own tenant by its number")
    if parts.scheme == "http" and not (development and parts.hostname in LOOPBACK):
        raise ValueError("must be https (OpenID Connect Core section 2)")
    return text


def _client_id(text: str) -> str:
    if len(text) > 255 or not text.isprintable():
        raise ValueError("must be what the provider calls this portal, at most 255 signs")
    return text


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"must be one word such as groups, not {text[:60]!r}")
    return text


def _words(text: str) -> tuple[str, ...]:
    words = tuple(part.strip() for part in text.split(",") if part.strip())
    for word in words:
        if not _WORD.fullmatch(word):
            raise ValueError(
                f"must hold words with commas between, such as profile,groups; {word[:60]!r} is none"
            )
    return words
