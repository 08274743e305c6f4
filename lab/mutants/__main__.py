"""``python -m lab.mutants [WORD…]``: take each guard out in a copy of the tree, and see its tests go red.

With words, only mutants that have one of them in their name or file. Exit status 1 when one survives, when the tests
are red without any change, or when a list does not fit the tree any more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from lab.mutants import ROOT, Mutant, faults, read_lists
from lab.mutants.trial import KILLED, Result, Tree


def main() -> int:
    parser = argparse.ArgumentParser(description="Take each guard out, and see its tests go red.")
    parser.add_argument("words", nargs="*", help="only mutants that have one of these in name or file")
    parser.add_argument(
        "--list", action="store_true", help="print the mutants and their reasons, run nothing"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    options = parser.parse_args()
    words = [word.lower() for word in options.words]
    chosen = [
        mutant
        for mutant in read_lists()
        if not words or any(word in f"{mutant.name} {mutant.file}".lower() for word in words)
    ]
    if options.list:
        for mutant in chosen:
            print(f"{mutant.name}\n    {mutant.file}\n    {mutant.why}")
        return 0
    if wrong := list(faults(chosen)):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="arobase-mutants-") as place:
        return try_all(chosen, [copy_tree(Path(place, str(number))) for number in range(options.jobs)])


def copy_tree(to: Path) -> Tree:
    """The files of this tree that git knows or would take, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return Tree(to)


def try_all(mutants: list[Mutant], trees: list[Tree]) -> int:
    """Print a line for each, as many at a time as there are copies of the tree, and give the exit status."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    print(f"{len(mutants)} mutants; first their {len(tests)} tests without any change", flush=True)
    untouched = trees[0].run(tests, jobs=len(trees), seconds=None)
    if untouched.words != "survived":
        print(f"{untouched.output}\nThe tests must be green before a guard is taken out.")
        return 1
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def try_one(mutant: Mutant) -> Result:
        tree = free.get()
        try:
            return tree.try_mutant(mutant)
        finally:
            free.put(tree)

    survivors = 0
    with ThreadPoolExecutor(len(trees)) as pool:
        for mutant, result in zip(mutants, pool.map(try_one, mutants), strict=True):
            survivors += result.words not in KILLED
            _print(mutant, result)
    print(f"{len(mutants) - survivors} killed, {survivors} not")
    return int(bool(survivors))


def _print(mutant: Mutant, result: Result) -> None:
    print(f"{result.words:8}  {mutant.name}  ({result.seconds:.0f} s)  {result.red}", flush=True)
    if result.words not in KILLED:
        print(f"          {mutant.file}: {mutant.why}\n          {' '.join(mutant.tests)}")
    if result.words == "broken":
        print(result.output)


if __name__ == "__main__":
    sys.exit(main())
