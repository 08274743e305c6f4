"""A root directory that is a mount point, for a Debian root that was entered by plain chroot(8).

    python -m lab.root COMMAND [ARGUMENT...]

There "/" is a mere folder, and the kernel refuses to give a mount namespace of its own to it (mount(2), EINVAL for a
change of propagation). The command then runs in a new mount namespace in which the same tree is mounted once more.
Everywhere else, and for anyone but root, it simply runs.
"""

from __future__ import annotations

import os
import subprocess
import sys

# The mount goes below a private tmpfs, so that it is seen by nobody outside this namespace.
MOUNT_AGAIN = """
set -e
place=$(mktemp -d /run/arobase-root.XXXXXX)
mount -t tmpfs tmpfs "$place"
mount --make-private "$place"
mkdir "$place/root"
mount --rbind / "$place/root"
exec chroot "$place/root" env --chdir="$PWD" "$@"
"""


def must_mount_again() -> bool:
    """Whether this is a root directory that is no mount point, and we are root."""
    if os.geteuid() != 0:
        return False
    plain = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return plain.returncode != 0 and "propagation" in plain.stderr


def main(command: list[str]) -> None:
    if must_mount_again():
        command = [
            "unshare",
            "--mount",
            "--propagation",
            "unchanged",
            "sh",
            "-c",
            MOUNT_AGAIN,
            "sh",
            *command,
        ]
    os.execvp(command[0], command)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
