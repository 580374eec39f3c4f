"""The magic number of bytecode: what the header defines is what the test suite expects.

It may not change any more from the first candidate of a series on. Source: the check in
https://github.com/python/release-tools/blob/main/run_release.py and the comments of ``test_magic_number`` in
https://github.com/python/cpython/blob/main/Lib/test/test_importlib/test_util.py.
"""

import re
from typing import Final

from bot.release.facts import Finding, Severity
from bot.release.version import Level, Version

CHECK: Final = "magic-number"
HEADER: Final = "Include/internal/pycore_magic_number.h"
TEST: Final = "Lib/test/test_importlib/test_util.py"
SINCE: Final = (3, 14)
"""The first series whose test suite names the number."""

_DEFINED: Final = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+PYC_MAGIC_NUMBER[ \t]+([0-9]{1,9})[ \t]*\r?$", re.MULTILINE)
_EXPECTED: Final = re.compile(rb"^[ \t]+EXPECTED_MAGIC_NUMBER[ \t]*=[ \t]*([0-9]{1,9})[ \t]*\r?$", re.MULTILINE)


def magic_number_problem(header: bytes, test: bytes, version: Version, *, since: tuple[int, int] = SINCE) -> Finding | None:
    """Return what is wrong with the magic number, by the contents of HEADER and TEST, or None.

    A problem of a candidate or a final version needs a waiver, that of an alpha or beta a note. Before the series
    ``since`` there is nothing to compare.
    """
    if (version.major, version.minor) < since:
        return None
    defined, expected = _only(_DEFINED, header), _only(_EXPECTED, test)
    if defined is not None and defined == expected:
        return None
    severity = Severity.WAIVER if version.level >= Level.CANDIDATE else Severity.ACKNOWLEDGE
    return Finding(check=CHECK, rule=CHECK, severity=severity, what=_told(defined, expected, version), subject=(HEADER, TEST))


def _only(pattern: re.Pattern[bytes], content: bytes) -> int | None:
    """Return the number that the content tells exactly once, or None."""
    found = pattern.findall(content)
    return int(found[0]) if len(found) == 1 else None


def _told(defined: int | None, expected: int | None, version: Version) -> str:
    if defined is None:
        return f"The magic number of {version} cannot be checked, because {HEADER} does not define it exactly once: correct the branch."
    if expected is None:
        return f"The magic number of {version} cannot be checked, because {TEST} does not expect it exactly once: correct the branch."
    late = version.level >= Level.CANDIDATE
    when = "must not change any more" if late else "will fail the tests of the first candidate"
    return f"The magic number of {version} is {defined} where the test suite expects {expected}, and it {when}: correct the branch."
