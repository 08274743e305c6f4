"""Check a package away from any portal: ``python -m sessions.legal_requests.verify FILE [--key PUBLIC-KEY.pem]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sessions.legal_requests.package import PackageCheck, check_package

GOOD, BAD = 0, 1


def in_words(verdict: PackageCheck) -> str:
    """The verdict as lines for people."""
    if not verdict.is_good:
        return f"NOT GOOD. First bad file: {verdict.file}: it {verdict.reason}."
    assert verdict.manifest is not None
    lines = [
        f"Good: {len(verdict.manifest['files'])} files, requisition {verdict.manifest['requisition']['number']}, "
        f"made {verdict.manifest['made_at']}: {verdict.manifest['answer']['exactness']}.",
        f"Signed with the key {verdict.fingerprint}.",
    ]
    if not verdict.is_known:
        lines.append(
            "This key came with the package: compare it with the one the town gave you, or use --key."
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: good; 1: not."""
    parser = argparse.ArgumentParser(prog="python -m sessions.legal_requests.verify", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", type=Path, help="the town's public key, as it was given to you")
    options = parser.parse_args(arguments)
    try:
        key = options.key.read_bytes() if options.key else None
        verdict = check_package(options.file.read_bytes(), key)
    except OSError as error:
        parser.error(str(error))
    print(in_words(verdict))
    return GOOD if verdict.is_good else BAD


if __name__ == "__main__":
    sys.exit(main())
