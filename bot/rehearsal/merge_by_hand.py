"""Merge a tag into its branch as a release manager does by hand, where git cannot do it alone: https://peps.python.org/pep-0101/."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bot.rehearsal.release_edits import PATCHLEVEL, README, is_fragment
from bot.rehearsal.repository import Identity, LocalRepository
from bot.rehearsal.tree_content import version_files
from bot.rehearsal.versions import PythonVersion

_CONFLICTS: Final = 1
"""The exit code of git for a merge that has some."""


@dataclass(frozen=True, kw_only=True)
class HandMerge:
    """Whoever merges: their clone, who they are and when; ``released`` is the tag's commit, ``head`` the branch's."""

    clone: LocalRepository
    by: Identity
    when: datetime
    version: PythonVersion
    head: str
    released: str

    def merge(self, files: Mapping[str, bytes | None]) -> str:
        """Merge, with the version's own README and patchlevel, and with these files as they were settled; give the commit."""
        done = self.clone.attempt("merge-tree", "--write-tree", "--no-messages", self.head, self.released)
        if done.returncode > _CONFLICTS:
            message = f"git cannot merge {self.released}: {done.stderr.decode(errors='replace')}"
            raise ValueError(message)
        tree = done.stdout.decode().partition("\n")[0]
        message = f"Merge tag '{self.version.tag}' into {self.version.branch}"
        return self._commit(tree, {**self._version_files(self.head, ""), **files}, [self.head, self.released], message)

    def post(self, merge: str) -> str:
        """Make the Post commit on top of a merge, which deletes the news that the release took along; give the commit."""
        gone = self.clone.text("diff-tree", "-r", "--name-only", "--diff-filter=D", f"{self.released}^", self.released).splitlines()
        left = dict.fromkeys(path for path in self.clone.entries(merge) if path in gone and is_fragment(path))
        return self._commit(merge, {**self._version_files(merge, self.version.suffix), **left}, [merge], f"Post {self.version}")

    def _version_files(self, commit: str, suffix: str) -> dict[str, bytes | None]:
        old = {path: content.decode() for path, content in self.clone.read(commit, [PATCHLEVEL, README]).items()}
        return {file.path: file.content for file in version_files(self.version, suffix, old[PATCHLEVEL], old[README])}

    def _commit(self, tree: str, files: Mapping[str, bytes | None], parents: Sequence[str], message: str) -> str:
        with TemporaryDirectory(dir=self.clone.path) as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.clone.run("read-tree", tree, environment=index)
            lines = [f"{self._entry(content)}\t{path}\n" for path, content in files.items()]
            self.clone.run("update-index", "--index-info", feed="".join(lines).encode(), environment=index)
            written = self.clone.text("write-tree", environment=index)
        joined = [option for parent in parents for option in ("-p", parent)]
        return self.clone.text("commit-tree", written, *joined, "-m", message, environment=self.by.environment(self.when))

    def _entry(self, content: bytes | None) -> str:
        if content is None:
            return f"0 {'0' * 40}"
        return f"100644 {self.clone.text('hash-object', '-w', '--stdin', feed=content)}"
