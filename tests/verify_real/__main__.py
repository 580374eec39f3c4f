"""Bring every row of the MANIFEST to its verdict: print a table, and end with 1 where one differs or nobody looks at a row."""

import sys
import textwrap

from bot.errors import UserError
from tests.verify_real import releases, tags, windows
from tests.verify_real.checks import Artifacts, Check

PARTS = (
    releases.files,
    releases.keys,
    releases.metadata,
    releases.sigstore,
    releases.sboms,
    releases.sources,
    tags.tags,
    tags.trees,
    windows.windows,
    windows.variants,
)


def main() -> int:
    """Make every check and print how it ended."""
    try:
        with Artifacts.found() as found:
            return _run(found)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _run(found: Artifacts) -> int:
    wrong = total = 0
    looked_at: set[str] = set()
    for part in PARTS:
        for check in part(found):
            total += 1
            wrong += not _told(check)
            looked_at |= set() if part is releases.files else {check.row}
    # The hash of a row alone is no verdict on it.
    missed = [row.file for row in found.rows if row.file not in looked_at]
    for file in missed:
        _tell("WRONG", "", f"{file}: nothing but its hash is looked at")
    ended = f"{wrong + len(missed)} WRONG" if wrong or missed else "all as expected"
    sys.stdout.write(f"\n{len(found.rows)} rows, {total} checks: {ended}.\n")
    return 1 if wrong or missed or not found.rows else 0


def _tell(mark: str, verdict: str, what: str) -> None:
    """Print one row of the table, in 80 columns."""
    sys.stdout.write(textwrap.fill(f"{mark:<5} {verdict:<18} {what}", 80, subsequent_indent=" " * 25, break_on_hyphens=False) + "\n")
    sys.stdout.flush()


def _told(check: Check) -> bool:
    """Make one check, print how it ended, and return whether that is as expected."""
    verdict, why = check.reached()
    good = verdict is check.expected and check.because in why
    _tell("ok" if good else "WRONG", verdict, f"{check.row}: {check.what}")
    if not good:
        _tell("", "", f"expected {check.expected} with {check.because!r}, got: {why[:500]}")
    return good


if __name__ == "__main__":
    sys.exit(main())
