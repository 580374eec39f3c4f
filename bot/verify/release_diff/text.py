"""Read text strictly, find what a reader of it cannot see, and say where two texts first differ."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

# Everything that is drawn as nothing, or that reorders its surroundings: https://www.unicode.org/reports/tr36/ and
# https://trojansource.codes/ for the first set, https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point for the second.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_UNSEEN_RANGES: Final = (
    # Blanks that look like an ordinary space and are none; the no-break space is ordinary in prose.
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x2065, 0x2065),  # unassigned among the bidirectional controls
    (0x2800, 0x2800),  # blank Braille pattern
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF0, 0xFFF8),  # unassigned specials
    (0xE0000, 0xE0FFF),  # tags and further variation selectors
)
_ORDINARY: Final = frozenset("\t\n")
_WORD_BREAK: Final = re.compile(r"[ \t\n]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile(r"[A-Za-z]")
_LOOK_LATIN: Final = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "FULLWIDTH", "GREEK", "LISU", "MATHEMATICAL"})


def unseen_in(text: str) -> frozenset[str]:
    """Return the characters of the text that a reader cannot see or that change how the others are read; tab and newline are ordinary."""
    return frozenset(character for character in set(text) if _is_unseen(character))


def unseen_added(text: str, earlier: tuple[bytes, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names of unseen characters in words of ``text`` that no earlier content holds, and the lines that have them.

    Names are such as ``U+202E RIGHT-TO-LEFT OVERRIDE``. Words are compared instead of lines, so that text which is only wrapped anew stays
    what it was.
    """
    suspicious = unseen_in(text)
    if not suspicious:
        return (), ()
    words = {word for word in _WORD_BREAK.split(text) if not suspicious.isdisjoint(word)} - _words(earlier)
    names = tuple(_named(character) for character in sorted(suspicious.intersection("".join(words))))
    return names, _lines_with(words, text)


def mixed_added(text: str, earlier: tuple[bytes, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the words that mix Latin letters with others that look like them and that no earlier content holds, and their lines.

    See https://www.unicode.org/reports/tr39/#Mixed_Script_Detection.
    """
    if text.isascii():
        return (), ()
    words = {word for word in _WORD_BREAK.split(text) if not word.isascii() and _is_mixed(word)} - _words(earlier)
    return tuple(sorted(words)), _lines_with(words, text)


def added_lines(old: bytes | None, new: bytes) -> tuple[int, ...]:
    """Return the numbers of the lines that the old content does not have; else of the first that differs; in time like the sizes.

    Of a new file, whose ``old`` content is None, these are all lines.
    """
    lines = new.removesuffix(b"\n").split(b"\n")
    if old is None:
        return tuple(range(1, len(lines) + 1))
    left = Counter(old.split(b"\n"))
    numbers = []
    for number, line in enumerate(lines, start=1):
        if left[line] <= 0:
            numbers.append(number)
        left[line] -= 1
    return tuple(numbers) or (min(first_difference(old, new), len(lines)),)


def first_difference(expected: bytes, found: bytes) -> int:
    """Return the number of the first line, counted from 1, in which two different contents differ."""
    wanted, given = expected.split(b"\n"), found.split(b"\n")
    for number, (left, right) in enumerate(zip(wanted, given, strict=False), start=1):
        if left != right:
            return number
    return min(len(wanted), len(given)) + 1


def runs_of(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as runs without gaps, each by its first and its last."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def changed_lines(old: bytes, new: bytes) -> int:
    """Return how many lines were added and removed in all, whatever their order; takes time in proportion to the sizes."""
    before, after = Counter(old.split(b"\n")), Counter(new.split(b"\n"))
    return (before - after).total() + (after - before).total()


def listed(things: list[str], *, limit: int = 5) -> str:
    """Return things as running text, at most ``limit`` of them by name."""
    named = ", ".join(things[:limit])
    rest = len(things) - limit
    return f"{named} and {rest} more" if rest > 0 else named


@lru_cache(maxsize=2)
def _words(contents: tuple[bytes, ...]) -> frozenset[str]:
    """Return the words of all contents; kept, because many new files may be compared with the same removed ones."""
    return frozenset(word for content in contents for word in _WORD_BREAK.split(content.decode(errors="replace")))


def _lines_with(words: Collection[str], text: str) -> tuple[int, ...]:
    if not words:
        return ()
    return tuple(number for number, line in enumerate(text.split("\n"), start=1) if not _words_of(line).isdisjoint(words))


def _words_of(line: str) -> set[str]:
    return set(_WORD_BREAK.split(line))


def _is_mixed(word: str) -> bool:
    """Tell whether one run of letters has both Latin ones and those of an alphabet that looks like it."""
    return any(bool(_LATIN.search(run)) and any(_looks_latin(character) for character in run) for run in _LETTERS.findall(word))


@lru_cache(maxsize=4096)
def _looks_latin(character: str) -> bool:
    return unicodedata.name(character, "").partition(" ")[0] in _LOOK_LATIN


def _is_unseen(character: str) -> bool:
    if character in _ORDINARY:
        return False
    if unicodedata.category(character) in _UNSEEN_CATEGORIES:
        return True
    return any(first <= ord(character) <= last for first, last in _UNSEEN_RANGES)


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'CONTROL OR UNNAMED CHARACTER')}"
