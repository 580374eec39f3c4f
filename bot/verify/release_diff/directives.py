"""Documentation: ``next`` in version directives becomes the version, and at X.Y.0 the day of the release is written down.

Sources: https://github.com/python/release-tools/blob/main/update_version_next.py and
https://devguide.python.org/documentation/markup/#directives (``versionadded:: next``).
"""

import re
from collections.abc import Sequence
from typing import Final

from bot.release.version import Level, Version
from bot.verify.release_diff.model import Context, FileChange, Verdict, acknowledge, explained, waiver
from bot.verify.release_diff.text import added_lines, listed

_DIRECTIVES: Final = rb"versionadded|versionchanged|versionremoved|deprecated|deprecated-removed"
_NEXT: Final = re.compile(rb"([ \t]*\.\.[ \t]+(?:%b)[ \t]*::[ \t]*)next(?=[ \t\r]|\Z)" % _DIRECTIVES)
_WRONG_LENGTH: Final = "changes more than the arguments of version directives: take the other edits out"
_LONGEST_PARAGRAPH: Final = 8
_MARKUP: Final = re.compile(rb"\.\.(?:[ \t]|\Z)")


def with_version(content: bytes, version: Version) -> bytes:
    """Return the text with the argument ``next`` of the five version directives replaced."""
    return b"\n".join(_line_with_version(line, version) for line in content.split(b"\n"))


class NextDirective:
    """Nothing differs but ``next``, as the argument of a version directive, which became the version."""

    name: Final = "next-directive"
    required: Final = False
    proves: Final = "nothing differs but version directives, where `next` became this version"

    def verify(self, change: FileChange, context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Compare the lines in pairs; every pair is equal or differs by that token only."""
        if change.old is None or change.new is None:
            return waiver("is added or deleted, where only its version directives may change: take that out")
        if change.new == with_version(change.old, context.version):
            return explained(f"differs only in version directives, where `next` became {context.version.next_directive}")
        old_lines, new_lines = change.old.split(b"\n"), change.new.split(b"\n")
        if len(old_lines) != len(new_lines):
            return waiver(_WRONG_LENGTH, added_lines(with_version(change.old, context.version), change.new))
        return _judge_pairs(old_lines, new_lines, context.version)


class WhatsNewDate:
    """As for other documentation, and at X.Y.0 the paragraph with the day of the release."""

    name: Final = "whatsnew-date"
    required: Final = False
    proves: Final = "nothing differs but version directives, where `next` became this version"

    def verify(self, change: FileChange, context: Context, all_changes: Sequence[FileChange], /) -> Verdict:
        """Accept one changed paragraph that tells when this series was released; leave everything else to the directives' rule."""
        plain = NextDirective().verify(change, context, all_changes)
        version = context.version
        if change.old is None or change.new is None or version.patch or version.level is not Level.FINAL:
            return plain
        before, after = _only_hunk(with_version(change.old, version).split(b"\n"), change.new.split(b"\n"))
        if _tells_the_day(after, version.series) and _is_prose(before) and _is_prose(after):
            lines = added_lines(with_version(change.old, version), change.new)
            return acknowledge(f"has a new paragraph on the day when {version.series} was released: read it", lines)
        return plain


def _line_with_version(line: bytes, version: Version) -> bytes:
    found = _NEXT.match(line)
    if found is None:
        return line
    return found[1] + version.next_directive.encode("ascii") + line[found.end() :]


def _judge_pairs(old_lines: list[bytes], new_lines: list[bytes], version: Version) -> Verdict:
    strange: list[int] = []
    wrong: list[int] = []
    left: list[int] = []
    for number, (old, new) in enumerate(zip(old_lines, new_lines, strict=True), start=1):
        written = _line_with_version(old, version)
        if new == written:
            continue
        (left if new == old else wrong if _NEXT.match(old) else strange).append(number)
    if strange:
        why = f"changes something else than the argument of a version directive in line {_numbers(strange)}: take that out"
        return waiver(why, strange)
    if wrong:
        return waiver(f"turns `next` into something else than {version.next_directive} in line {_numbers(wrong)}: correct it", wrong)
    return acknowledge("still says `next` in some version directives: the documentation will not name the version there", left)


def _numbers(lines: list[int]) -> str:
    return listed([str(line) for line in lines])


def _only_hunk(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return the lines between the common beginning and the common end of two texts, without the blank lines around them."""
    shorter = min(len(old), len(new))
    head = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    room = shorter - head
    tail = next((index for index in range(room) if old[-1 - index] != new[-1 - index]), room)
    return _stripped(old[head : len(old) - tail]), _stripped(new[head : len(new) - tail])


def _stripped(lines: list[bytes]) -> list[bytes]:
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _tells_the_day(paragraph: list[bytes], series: str) -> bool:
    """Tell whether the sentence is there that every "What's New" has, such as ``Python 3.14 was released on 7 October 2025.``."""
    text = b" ".join(paragraph)
    return bool(re.search(rb"Python %b (?:was|will be) released on [\w, ]{8,30}\." % re.escape(series.encode("ascii")), text))


def _is_prose(paragraph: list[bytes]) -> bool:
    """Tell whether the lines are at most one short paragraph without directives."""
    if len(paragraph) > _LONGEST_PARAGRAPH:
        return False
    return all(line.strip() and not _MARKUP.search(line) for line in paragraph)
