"""Include/patchlevel.h: the block of constants that release.py writes, recomputed byte for byte.

Source: ``tweak_patchlevel`` and ``constant_replace`` in https://github.com/python/release-tools/blob/main/release.py.
"""

from collections.abc import Sequence
from typing import Final

from bot.release.version import Level, Version
from bot.verify.release_diff.model import Context, FileChange, Verdict, explained, waiver
from bot.verify.release_diff.text import first_difference

PATH: Final = "Include/patchlevel.h"

_START: Final = b"/*--start constants--*/"
_END: Final = b"/*--end constants--*/"
# Names end in a tab there; since 3.7.0a3 tabs are expanded, so every value stands in this column.
_COLUMN: Final = 32
_LEVEL_NAMES: Final = {
    Level.ALPHA: "PY_RELEASE_LEVEL_ALPHA",
    Level.BETA: "PY_RELEASE_LEVEL_BETA",
    Level.CANDIDATE: "PY_RELEASE_LEVEL_GAMMA",
    Level.FINAL: "PY_RELEASE_LEVEL_FINAL",
}


class NoConstants(ValueError):
    """A file has not exactly one block of constants between its markers."""


def constants(version: Version, suffix: str = "") -> bytes:
    """Return the lines between the markers for a version; ``suffix`` is added to the version string only."""
    numbers = {
        "PY_MAJOR_VERSION": version.major,
        "PY_MINOR_VERSION": version.minor,
        "PY_MICRO_VERSION": version.patch,
        "PY_RELEASE_LEVEL": _LEVEL_NAMES[version.level],
        "PY_RELEASE_SERIAL": version.serial,
    }
    lines = [_define(name, str(value)) for name, value in numbers.items()]
    lines += ["", "/* Version as a string */", _define("PY_VERSION", f'"{version}{suffix}"')]
    return "\n".join(lines).encode("ascii")


def with_constants(content: bytes, version: Version, suffix: str = "") -> bytes:
    """Return the file with its block of constants replaced; raise NoConstants where there is not exactly one."""
    lines = content.split(b"\n")
    starts = [number for number, line in enumerate(lines) if line == _START]
    ends = [number for number, line in enumerate(lines) if line == _END]
    if len(starts) != 1 or len(ends) != 1 or starts > ends:
        raise NoConstants("the markers of the constants are not there exactly once, in order")
    return b"\n".join([*lines[: starts[0] + 1], constants(version, suffix), *lines[ends[0] :]])


class Patchlevel:
    """The whole file is the old one with the block for this version."""

    name: Final = "patchlevel"
    required: Final = True
    proves: Final = "the whole file is the old one with the constants of this version, byte for byte"

    def verify(self, change: FileChange, context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Compare the whole new file, byte for byte, with the old one as release.py would rewrite it."""
        if change.old is None or change.new is None:
            return waiver("is added or deleted: restore it")
        try:
            expected = with_constants(change.old, context.version)
        except NoConstants as error:
            return waiver(f"cannot be recomputed, because before the change {error}: compare it by hand")
        if change.new == expected:
            return explained(f"holds exactly the constants of {context.version}")
        line = first_difference(expected, change.new)
        return waiver(f"is not what release.py makes of it for {context.version}, from line {line} on: bump the version again", [line])


def _define(name: str, value: str) -> str:
    return f"#define {name}".ljust(_COLUMN) + value
