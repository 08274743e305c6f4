"""A certificate authority of the lab's own, by openssl: RFC 8908 wants https, and only the lab's phones trust this."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.namespace import environment

DAYS = "30"
# A configuration of ours, because the system's adds extensions that differ from one distribution to the next.
CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {common_name}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key (PEM, PKCS#8), as files."""

    certificate: Path
    key: Path


def make_authority(folder: Path) -> Certificate:
    """A new authority in `folder`, valid for thirty days."""
    return _request(
        folder, "authority", "Arobase lab authority", ["DNS:authority"], ["-extensions", "authority"]
    )


def issue(authority: Certificate, folder: Path, name: str, hosts: Sequence[str]) -> Certificate:
    """A server certificate for `hosts`, signed by `authority`, as ``name.pem`` and ``name.key`` in `folder`."""
    signer = ["-CA", str(authority.certificate), "-CAkey", str(authority.key), "-extensions", "server"]
    return _request(folder, name, hosts[0], [f"DNS:{host}" for host in hosts], signer)


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the certificate's public key, in base64: how Chromium can be told to trust just this one."""
    key = _openssl("x509", "-in", str(certificate), "-pubkey", "-noout")
    der = _openssl("pkey", "-pubin", "-outform", "der", standard_input=key)
    return base64.b64encode(hashlib.sha256(der).digest()).decode("ascii")


def _openssl(*words: str, standard_input: bytes = b"") -> bytes:
    done = subprocess.run(
        ["openssl", *words], input=standard_input, check=True, capture_output=True, env=environment()
    )
    return done.stdout


def _request(folder: Path, name: str, common_name: str, names: list[str], more: list[str]) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    file = folder / f"{name}.cnf"
    file.write_text(CONFIGURATION.format(common_name=common_name, names=",".join(names)), encoding="ascii")
    made.key.touch(mode=0o600)
    command = ["req", "-x509", "-config", str(file), "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", DAYS]
    command += ["-out", str(made.certificate), "-keyout", str(made.key), *more]
    _openssl(*command)
    file.unlink()
    return made
