"""A package can be checked by anybody, and a change to any of its files is named."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from config import Secret
from sessions.legal_requests.package import KEY, MANIFEST, SIGNATURE, SUMS, check_package, make_package
from sessions.legal_requests.signing import Signer, fingerprint
from tests.clock import NOON
from tests.services.parts import program

SIGNER, OTHER = Signer(Secret("a" * 40)), Signer(Secret("b" * 40))
FILES = {"reponse.csv": b"session\r\n17\r\n", "reponse.json": b"{}\n", "LISEZMOI.txt": "Réponse\n".encode()}
FACTS = {"requisition": {"number": 3}, "answer": {"exactness": "one session"}}
Files = dict[str, bytes]


def made(signer: Signer = SIGNER) -> bytes:
    return make_package(FILES, FACTS, signer=signer, now=NOON)


def unpacked(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_whole_package_is_good_with_the_key_and_says_which_key_it_was() -> None:
    verdict = check_package(made(), SIGNER.public_key())
    assert verdict.is_good and verdict.is_known
    assert verdict.fingerprint == fingerprint(SIGNER.public_key()) != fingerprint(OTHER.public_key())
    assert verdict.manifest is not None and verdict.manifest["requisition"] == {"number": 3}
    alone = check_package(made())
    assert alone.is_good and not alone.is_known


@pytest.mark.parametrize("name", [*FILES, MANIFEST, SIGNATURE, SUMS])
@pytest.mark.parametrize(
    "change", [lambda content: content + b"x", lambda content: content[:-1] + bytes([content[-1] ^ 1])]
)
def test_a_changed_file_is_named(name: str, change: Callable[[bytes], bytes]) -> None:
    files = unpacked(made())
    files[name] = change(files[name])
    bad = check_package(packed(files), SIGNER.public_key())
    # Nobody can tell whether the manifest or its signature was touched.
    assert bad.file == (MANIFEST if name == SIGNATURE else name)


@pytest.mark.parametrize("name", [*FILES, MANIFEST, SIGNATURE])
def test_a_missing_file_is_named(name: str) -> None:
    files = unpacked(made())
    del files[name]
    bad = check_package(packed(files), SIGNER.public_key())
    assert (bad.file, bad.reason) == (name, "is missing")


def test_an_added_file_is_named() -> None:
    bad = check_package(packed({**unpacked(made()), "more.csv": b"18"}), SIGNER.public_key())
    assert (bad.file, bad.reason) == ("more.csv", "was added")


def test_the_first_bad_file_of_several_is_named() -> None:
    files = unpacked(made())
    bad = check_package(packed({**files, "reponse.json": b"[]", "reponse.csv": b""}))
    assert bad.file == "reponse.csv"


def test_a_file_that_is_there_twice_is_no_way_around_it() -> None:
    out = io.BytesIO(made())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("reponse.csv", b"session\r\n18\r\n")
    assert check_package(out.getvalue()).reason == "is there twice"


def test_a_package_signed_anew_by_somebody_else_is_found_with_our_key() -> None:
    forged = made(OTHER)
    assert check_package(forged).is_good
    assert check_package(forged, SIGNER.public_key()).file == MANIFEST


@pytest.mark.parametrize("cut", [0, 10, 200, -30])
def test_a_torn_package_is_not_good(cut: int) -> None:
    assert not check_package(made()[:cut]).is_good


def test_a_damaged_package_names_the_file() -> None:
    content = bytearray(made())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        offset = archive.getinfo("reponse.csv").header_offset
    content[offset + 30 + len("reponse.csv") + 3] ^= 0xFF
    assert check_package(bytes(content)).file == "reponse.csv"


def test_a_key_that_is_none_is_said_to_be() -> None:
    assert check_package(made(), b"nonsense").reason == "is no public key"
    assert check_package(packed({**unpacked(made()), KEY: b"x"})).reason == "is no public key"


def test_it_is_checked_away_from_any_portal(tmp_path: Path) -> None:
    """No settings, no database, no portal: the module alone, in an empty environment."""
    (tmp_path / "package.zip").write_bytes(made())
    (tmp_path / "town.pem").write_bytes(SIGNER.public_key())
    (tmp_path / "other.pem").write_bytes(OTHER.public_key())
    root = Path(__file__).parents[3]

    def verify(key: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sessions.legal_requests.verify", str(tmp_path / "package.zip")]
        return subprocess.run(
            [*command, "--key", str(tmp_path / key)], cwd=root, env={}, capture_output=True, text=True
        )

    good, bad = verify("town.pem"), verify("other.pem")
    assert good.returncode == 0 and "one session" in good.stdout, good
    assert bad.returncode == 1 and f"First bad file: {MANIFEST}" in bad.stdout


def test_common_tools_can_check_it_too(tmp_path: Path) -> None:
    for name, content in unpacked(made()).items():
        (tmp_path / name).write_bytes(content)
    sums = subprocess.run([program("sha256sum"), "-c", SUMS], cwd=tmp_path, capture_output=True, text=True)
    assert sums.returncode == 0, sums
    command = [program("openssl"), "pkeyutl", "-verify", "-pubin", "-inkey", KEY, "-rawin"]
    command += ["-in", MANIFEST, "-sigfile", SIGNATURE]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked


def test_nothing_is_carried_by_a_process_that_signs_nothing() -> None:
    """Some megabytes, and a library that starts slowly."""
    code = "import sys, sessions.legal_requests.answering, portal.app; print('nacl' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
