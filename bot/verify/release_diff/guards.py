"""What no release commit may do, whatever the path: asked of every change before any rule."""

from collections.abc import Sequence
from typing import Final, Protocol

from bot.release.quoting import shown, unseen
from bot.verify.release_diff.model import FileChange, Verdict, waiver
from bot.verify.release_diff.text import listed, mixed_added, unseen_added

LARGEST_FILE: Final = 8 * 1024 * 1024
"""Bytes of one file that are still examined; the largest generated file of CPython has about one megabyte."""

_MOST: Final = LARGEST_FILE // 1024 // 1024
_ORDINARY_FILE: Final = "100644"
# The object modes of git: https://git-scm.com/docs/git-fast-import#_filemodify.
_SPECIAL_MODES: Final = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a directory"}
_AUTOMATION: Final = ".github/"
_ISSUE_FORMS: Final = ".github/ISSUE_TEMPLATE/"


class Guard(Protocol):
    """One thing that is never expected."""

    @property
    def name(self) -> str:
        """The name that findings give as their rule."""

    def refuse(self, change: FileChange, all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Return why the change cannot be judged by any rule, or None."""


class OrdinaryPath:
    """A path that shows what it is."""

    name: Final = "path"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse unseen characters, look-alikes of letters, backslashes and dot folders in the path."""
        dots = {".", "..", ""}.intersection(change.path.split("/"))
        if unseen(change.path) or not change.path.isascii() or "\\" in change.path or dots:
            return waiver("has a name that does not show which file it is: remove it from the release commit")
        return None


class NoSpecialFile:
    """Neither a symbolic link nor a submodule."""

    name: Final = "special-file"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse a change from or to anything but a regular file."""
        for mode in (change.new_mode, change.old_mode):
            if mode in _SPECIAL_MODES:
                return waiver(f"is {_SPECIAL_MODES[mode]}, which a release commit never touches: take it out")
        return None


class SameMode:
    """The mode stays, and a new file is an ordinary one."""

    name: Final = "mode"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse a changed mode and a new executable."""
        if change.new_mode is None:
            return None
        expected = change.old_mode or _ORDINARY_FILE
        if change.new_mode == expected:
            return None
        return waiver(f"has the mode {shown(change.new_mode)} where {expected} is expected: restore it")


class NoAutomation:
    """Nothing that GitHub would run."""

    name: Final = "workflow"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse everything below .github but the issue forms, which are data (https://docs.github.com/en/actions/reference/workflows-and-actions)."""
        path = change.path.casefold()
        if path.startswith(_AUTOMATION) and not change.path.startswith(_ISSUE_FORMS):
            return waiver("is run by GitHub in this repository: change it in a pull request of its own, not in a release commit")
        return None


class Readable:
    """The content is there, and of a size that can be examined."""

    name: Final = "content"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse what could not be read or is too large."""
        for mode, content in ((change.old_mode, change.old), (change.new_mode, change.new)):
            if mode is not None and content is None:
                return waiver(f"could not be read, or has more than {_MOST} MiB, too much to examine: look at it by hand")
            if content is not None and len(content) > LARGEST_FILE:
                return waiver(f"has more than {_MOST} MiB, too much to examine: look at it by hand")
        return None


class Utf8Text:
    """Text in UTF-8 and nothing else."""

    name: Final = "binary"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse new content that is not UTF-8 or holds NUL bytes."""
        if change.new is None:
            return None
        if b"\0" in change.new or not _is_utf8(change.new):
            return waiver("is not text in UTF-8: a release commit has nothing else")
        return None


class NothingUnseen:
    """No text that reads differently from what it is (https://trojansource.codes/)."""

    name: Final = "invisible"

    def refuse(self, change: FileChange, all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse added control, bidirectional, zero-width and other invisible characters; text that only moved is not added."""
        added, lines = unseen_added((change.new or b"").decode(errors="replace"), _earlier(change, all_changes))
        if not added:
            return None
        return waiver(f"adds characters that nobody can see ({listed(list(added), limit=3)}): remove them", lines)


class NoLookAlikes:
    """No word that is spelled with letters of several alphabets (https://www.unicode.org/reports/tr39/#Confusable_Detection)."""

    name: Final = "look-alike"

    def refuse(self, change: FileChange, all_changes: Sequence[FileChange], /) -> Verdict | None:
        """Refuse added words that mix Latin letters with Cyrillic, Greek and others like them; text that only moved is not added."""
        added, lines = mixed_added((change.new or b"").decode(errors="replace"), _earlier(change, all_changes))
        if not added:
            return None
        words = listed([shown(word) for word in added], limit=3)
        return waiver(f"adds words that mix letters of several alphabets ({words}): spell them with one", lines)


def _earlier(change: FileChange, all_changes: Sequence[FileChange]) -> tuple[bytes, ...]:
    """Return the contents from which text may have moved here: the file as it was, or for a new one all files that are gone."""
    if change.old is not None:
        return (change.old,)
    return tuple(other.old for other in all_changes if other.deletes and other.old is not None)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


GUARDS: Final[tuple[Guard, ...]] = (
    OrdinaryPath(),
    NoSpecialFile(),
    SameMode(),
    NoAutomation(),
    Readable(),
    Utf8Text(),
    NothingUnseen(),
    NoLookAlikes(),
)
"""All guards; the first that refuses speaks."""
