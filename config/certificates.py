"""A server's certificate, looked at as a phone does: chain, name and dates, by a handshake in memory."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime
from pathlib import Path

from config.findings import ConfigFinding, fault, good, warning

WARN_DAYS = 14
DAY_SECONDS = 86400
CONNECT_SECONDS = 5.0
# OpenSSL's X509_V_ERR_*, as openssl-verify(1) numbers them.
_REASONS = {
    9: "is not valid yet: is this machine's clock right?",
    10: "has expired: renew it, put both files there, systemctl reload arobase-front",
    18: "is signed by itself: phones need one of a public authority",
    19: "comes from an authority that phones do not know: they need a public one",
    20: "stands there without its chain, or its authority is unknown: put the whole chain (fullchain.pem) there",
    21: "stands there without its chain: put the whole chain (fullchain.pem) there",
    62: "does not hold the portal's name",
}


def check_certificate(
    certificate: Path, key: Path, host: str, *, now: datetime, authorities: Path | None = None
) -> ConfigFinding:
    """One finding on both files. Dates are judged by this machine's clock; `now` counts the days left."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(certificate, key, password=lambda: "")
    except PermissionError:
        return warning(f"{certificate} and {key} were not looked at: root alone may read them.")
    except FileNotFoundError:
        missing = certificate if not certificate.exists() else key
        return fault(f"{missing} is missing: put the certificate with its chain, and its key, there.")
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            return fault(f"{key} is the key of another certificate than {certificate}.")
        return fault(f"{certificate} and {key} cannot be read as PEM, the key without a password: {error}.")
    try:
        until = _shaken(server, host, authorities)
    except ssl.SSLCertVerificationError as error:
        return fault(f"{certificate} {_REASONS.get(error.verify_code, error.verify_message)} ({host}).")
    days = int((until - now.timestamp()) // DAY_SECONDS)
    if days < WARN_DAYS:
        return warning(f"{certificate} expires in {days} days: renew it, systemctl reload arobase-front.")
    return good(f"{certificate} is good for {host}, {days} days more.")


def _shaken(server: ssl.SSLContext, host: str, authorities: Path | None) -> float:
    """When the certificate ends, in seconds since the epoch, once a client has accepted it."""
    client = ssl.create_default_context(cafile=authorities)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=host)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (asking, answering, asking):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    certificate = asking.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


def served_days(
    host: str, port: int, *, now: datetime, authorities: Path | None = None, address: str | None = None
) -> int:
    """How many days more the certificate holds that is shown at the portal's name, asked as a phone does.

    Raises `ssl.SSLCertVerificationError` where a phone would refuse it, else `OSError` where nothing answers.
    `address` is asked in the name's place.
    """
    asking = ssl.create_default_context(cafile=authorities)
    with (
        socket.create_connection((address or host, port), CONNECT_SECONDS) as line,
        asking.wrap_socket(line, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    until = float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))
    return int((until - now.timestamp()) // DAY_SECONDS)


def check_served(certificate: Path, host: str, port: int) -> ConfigFinding:
    """Whether what answers at the portal's name shows the certificate in the file: it is read once, at (re)load."""
    try:
        leaf = certificate.read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
        wanted = ssl.PEM_cert_to_DER_cert(leaf[0][leaf[0].index("-----BEGIN") :] + leaf[1])
    except (OSError, ValueError) as error:
        return warning(f"{certificate} was not compared with what the front shows: {error}.")
    # Whom phones trust was judged by `check_certificate`: here the two are compared, whatever they are.
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), CONNECT_SECONDS) as line,
            asking.wrap_socket(line, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except (OSError, UnicodeError) as error:
        return fault(f"nothing answers at {host}, port {port} ({error}): systemctl status arobase-front")
    if shown != wanted:
        return warning(f"{host} shows another certificate than {certificate}: systemctl reload arobase-front")
    return good(f"{host} shows {certificate}.")
