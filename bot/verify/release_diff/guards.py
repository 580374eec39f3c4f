"""What no release commit may do, whatever the path: asked of every change before any rule."""

from collections.abc import Sequence
from typing import Final, Protocol

from bot.release.quoting import shown, unseen
from bot.verify.release_diff.model import FileChange
from bot.verify.release_diff.text import listed, unseen_added

LARGEST_FILE: Final = 8 * 1024 * 1024
"""Bytes of one file that are still examined; the largest generated file of CPython has about one megabyte."""

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

    def refuse(self, change: FileChange, all_changes: Sequence[FileChange], /) -> str | None:
        """Return why the change cannot be judged by any rule, to complete "The file PATH …", or None."""


class OrdinaryPath:
    """A path that shows what it is."""

    name: Final = "path"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse unseen characters, backslashes and dot folders in the path."""
        dots = {".", "..", ""}.intersection(change.path.split("/"))
        if unseen(change.path) or "\\" in change.path or dots:
            return "has a name that does not show which file it is: remove it from the release commit"
        return None


class NoSpecialFile:
    """Neither a symbolic link nor a submodule."""

    name: Final = "special-file"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse a change from or to anything but a regular file."""
        for mode in (change.new_mode, change.old_mode):
            if mode in _SPECIAL_MODES:
                return f"is {_SPECIAL_MODES[mode]}, which a release commit never touches: take it out"
        return None


class SameMode:
    """The mode stays, and a new file is an ordinary one."""

    name: Final = "mode"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse a changed mode and a new executable."""
        if change.new_mode is None:
            return None
        expected = change.old_mode or _ORDINARY_FILE
        if change.new_mode == expected:
            return None
        return f"has the mode {shown(change.new_mode)} where {expected} is expected: restore it"


class NoAutomation:
    """Nothing that GitHub would run."""

    name: Final = "workflow"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse everything below .github but the issue forms, which are data (https://docs.github.com/en/actions/reference/workflows-and-actions)."""
        path = change.path.casefold()
        if path.startswith(_AUTOMATION) and not change.path.startswith(_ISSUE_FORMS):
            return "is run by GitHub in this repository: change it in a pull request of its own, not in a release commit"
        return None


class Readable:
    """The content is there, and of a size that can be examined."""

    name: Final = "content"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse what could not be read or is too large."""
        for mode, content in ((change.old_mode, change.old), (change.new_mode, change.new)):
            if mode is not None and content is None:
                return "could not be read from the repository: look at it by hand"
            if content is not None and len(content) > LARGEST_FILE:
                return f"has more than {LARGEST_FILE // 1024 // 1024} MiB, too much to examine: look at it by hand"
        return None


class Utf8Text:
    """Text in UTF-8 and nothing else."""

    name: Final = "binary"

    def refuse(self, change: FileChange, _all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse new content that is not UTF-8 or holds NUL bytes."""
        if change.new is None:
            return None
        if b"\0" in change.new or not _is_utf8(change.new):
            return "is not text in UTF-8: a release commit has nothing else"
        return None


class NothingUnseen:
    """No text that reads differently from what it is (https://trojansource.codes/)."""

    name: Final = "invisible"

    def refuse(self, change: FileChange, all_changes: Sequence[FileChange], /) -> str | None:
        """Refuse added control, bidirectional, zero-width and other invisible characters; text that only moved is not added."""
        text = (change.new or b"").decode(errors="replace")
        gone = (other.old for other in all_changes if other.deletes and other.old is not None)
        added = unseen_added(text, tuple(gone) if change.old is None else (change.old,))
        if not added:
            return None
        return f"adds characters that nobody can see ({listed(list(added), limit=3)}): remove them"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


GUARDS: Final[tuple[Guard, ...]] = (OrdinaryPath(), NoSpecialFile(), SameMode(), NoAutomation(), Readable(), Utf8Text(), NothingUnseen())
"""All guards; the first that refuses speaks."""
