"""A UniFi controller with its access points, one of its sites for each record: docs/gateway-unifi.md."""

from __future__ import annotations

from pathlib import PurePosixPath

from gateways.kinds import Capabilities, Kind, Learning, Option
from gateways.sentences import Sentence
from gateways.unifi.controller import SITE
from gateways.unifi.transport import read_fingerprint, read_url


def _url(text: str) -> str:
    host, port = read_url(text)
    name = f"[{host}]" if ":" in host else host
    return f"https://{name}" if port == 443 else f"https://{name}:{port}"


def _site(text: str) -> str:
    if not SITE.fullmatch(text):
        raise ValueError(
            Sentence("write the site's short name, as in the controller's own address: .../site/NAME/...")
        )
    return text


def _name(text: str) -> str:
    if not text.isprintable() or len(text) > 100 or text != text.strip():
        raise ValueError(Sentence("write the account's name in at most 100 signs"))
    return text


def _file(text: str) -> str:
    if not PurePosixPath(text).is_absolute() or not text.isprintable() or len(text) > 200:
        raise ValueError(
            Sentence(
                "write the whole path of a file on the portal's machine, like /etc/arobase/unifi-password"
            )
        )
    return text


def _optional_file(text: str) -> str:
    return _file(text) if text else ""


def _optional_fingerprint(text: str) -> str:
    return read_fingerprint(text) if text else ""


def _yes_or_no(text: str) -> str:
    if text.lower() not in ("yes", "no"):
        raise ValueError(Sentence("write yes or no"))
    return text.lower()


KIND = Kind(
    name="unifi",
    product="UniFi",
    capabilities=Capabilities(
        learns=Learning.PUSHED,
        # What the portal is asked to tell is told at once; what a command line changed, at the sweep's next round.
        learns_within_seconds=10,
        # In whole minutes; the portal tells the exact end.
        ends_by_itself=True,
        finest_seconds=60,
        extends=True,
        revokes=True,
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        # It lists a device for minutes after it has gone.
        reports_presence=False,
        # The portal asks it once a minute.
        is_heard=True,
        # Where the controller's site is elsewhere than the portal: only with `public_addresses` in the record.
        translates_addresses=True,
    ),
    options=(
        Option(
            name="url", read=_url, help=Sentence("The controller's address, like https://192.168.1.2:8443.")
        ),
        Option(
            name="site",
            read=_site,
            help=Sentence("The short name of the controller's site."),
            default="default",
        ),
        Option(
            name="username",
            read=_name,
            help=Sentence(
                "A local account of the controller; none where the file holds a console's API key."
            ),
            default="",
        ),
        Option(
            name="credential_file",
            read=_file,
            help=Sentence(
                "The file on the portal's machine with the account's password, or with the API key."
            ),
        ),
        Option(
            name="certificate_sha256",
            read=_optional_fingerprint,
            help=Sentence(
                "The SHA-256 of the controller's certificate; without it, an authority must vouch for it."
            ),
            default="",
        ),
        Option(
            name="ca_file",
            read=_optional_file,
            help=Sentence(
                "The file with the authority that vouches for the certificate; without it, those of the system."
            ),
            default="",
        ),
        Option(
            name="kick",
            read=_yes_or_no,
            help=Sentence(
                "Whether a device whose access is taken back must associate anew, which cuts its open connections."
            ),
            default="no",
        ),
    ),
)
