"""The package that leaves: a zip of files, a manifest with the digest of each, and a signature over the manifest.

It can be checked without this portal, without a database and without this code: `sha256sum -c SHA256SUMS` for the
files, `openssl pkeyutl -verify` for the signature.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sessions.legal_requests.signing import Signer, UnreadableKey, fingerprint, is_signed

FORMAT = "arobase requisition 1"
MANIFEST, SIGNATURE, KEY, SUMS = "manifest.json", "manifest.sig", "public-key.pem", "SHA256SUMS"
# Not in the manifest: it is what they are made from, or they are made from it.
AROUND = frozenset({MANIFEST, SIGNATURE, KEY, SUMS})
LARGEST_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class PackageCheck:
    """What a check found. `file` is the first bad one, `reason` why; both None where all is well.

    `fingerprint` is that of the key the signature was checked with; `is_known`: that key was given from outside.
    """

    file: str | None = None
    reason: str | None = None
    manifest: Mapping[str, Any] | None = None
    fingerprint: str = ""
    is_known: bool = False

    @property
    def is_good(self) -> bool:
        return self.file is None


def make_package(
    files: Mapping[str, bytes], facts: Mapping[str, Any], *, signer: Signer, now: datetime
) -> bytes:
    """The zip with `files`, and `facts` in its manifest."""
    public_key = signer.public_key()
    manifest = {
        "format": FORMAT,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        **facts,
        "key": fingerprint(public_key),
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in sorted(files.items())
        },
    }
    signed = json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    around = {MANIFEST: signed, SIGNATURE: signer.sign(signed), KEY: public_key, SUMS: sums.encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (around | dict(sorted(files.items()))).items():
            entry = zipfile.ZipInfo(name, now.astimezone(UTC).timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def check_package(content: bytes, public_key: bytes | None = None) -> PackageCheck:
    """Check a package with `public_key`, or with the one inside, which then only shows that nothing was damaged."""
    try:
        files = _unpack(content)
    except _Bad as bad:
        return PackageCheck(bad.file, bad.reason)
    key = public_key if public_key is not None else files.get(KEY, b"")
    try:
        signed = is_signed(files.get(MANIFEST, b""), files.get(SIGNATURE, b""), key)
        printed = fingerprint(key)
    except UnreadableKey:
        return PackageCheck(KEY, "is no public key")
    known = public_key is not None
    for name in (MANIFEST, SIGNATURE):
        if name not in files:
            return PackageCheck(name, "is missing", None, printed, known)
    if not signed:
        return PackageCheck(MANIFEST, "is not signed with this key, or was changed", None, printed, known)
    manifest = json.loads(files[MANIFEST])
    fault = _compare(files, manifest["files"])
    file, reason = fault or (None, None)
    return PackageCheck(file, reason, manifest, printed, known)


def _compare(files: Mapping[str, bytes], listed: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first file that is not what the manifest says."""
    for name in sorted(listed):
        if name not in files:
            return name, "is missing"
        if hashlib.sha256(files[name]).hexdigest() != listed[name]["sha256"]:
            return name, "was changed"
    strangers = sorted(files.keys() - listed.keys() - AROUND)
    if strangers:
        return strangers[0], "was added"
    sums = "".join(f"{listed[name]['sha256']}  {name}\n" for name in sorted(listed))
    return None if files.get(SUMS) == sums.encode() else (SUMS, "was changed")


class _Bad(Exception):
    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason


def _unpack(content: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_BYTES:
                raise _Bad("package", "is larger than any of ours")
            for entry in archive.infolist():
                if entry.filename in files:
                    raise _Bad(entry.filename, "is there twice")
                try:
                    files[entry.filename] = archive.read(entry)
                except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
                    raise _Bad(entry.filename, "was changed") from error
    except zipfile.BadZipFile as error:
        raise _Bad("package", "is no zip file") from error
    return files
