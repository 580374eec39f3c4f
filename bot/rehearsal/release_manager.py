"""The release manager's hands: what https://github.com/python/release-tools does on their machine, with real git."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from bot.rehearsal.fast_import import Change, Remove, Write, commit_on
from bot.rehearsal.merge_by_hand import HandMerge
from bot.rehearsal.next_series import EDITED, bumped, development
from bot.rehearsal.person import Person, PushAnswer
from bot.rehearsal.release_edits import (
    GENERATED_DOCS,
    NEXT_DIRECTIVE_IN_GIT,
    PATCHLEVEL,
    README,
    documented,
    generated,
    is_fragment,
    merged_news,
    patchlevel,
    readme,
)
from bot.rehearsal.repository import Entry
from bot.rehearsal.tree_content import version_files, whats_new, with_pep
from bot.rehearsal.versions import PythonVersion

_TIME_TO_AMEND: Final = timedelta(seconds=9)
"""The tools amend once more after they tagged, which gives the branch another id than the tag's commit."""

Files = Mapping[str, bytes | None]
"""Files to write or, with None, to remove."""


class SigningKey(Protocol):
    """A key that git can sign with."""

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables that git needs for it."""

    @property
    def git_options(self) -> tuple[str, ...]:
        """Give the options that git needs for it."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A release that was cut and tagged: ``commit`` is the tag's, ``tip`` the amended one of the working branch."""

    version: PythonVersion
    head: str
    """What it was cut from."""
    commit: str
    tag: str
    """The id of the tag object."""
    tip: str


class ReleaseManager(Person):
    """A release manager with a clone and a fork."""

    async def cut(self, version: PythonVersion, head: str, *, key: SigningKey | None = None) -> Cut:
        """Make the release commit on ``head`` and tag it, signed with ``key`` or honestly unsigned; a series is ended by a tag alone."""
        return await asyncio.to_thread(self._cut, version, head, {}, key)

    async def cut_with(self, version: PythonVersion, head: str, *, extra_changes: Files, key: SigningKey | None = None) -> Cut:
        """Make the release commit with changes that do not belong there."""
        return await asyncio.to_thread(self._cut, version, head, extra_changes, key)

    async def cut_cherry_picked(self, version: PythonVersion, base: str, picks: Sequence[str], *, key: SigningKey | None = None) -> Cut:
        """Make the release commit on an earlier commit plus some that were picked from the branch."""
        return await asyncio.to_thread(self._cut_cherry_picked, version, base, picks, key)

    async def fixes_since(self, base: str, head: str) -> list[str]:
        """Give the commits between two that come with news, oldest first: what is worth to be picked for a candidate."""
        return await asyncio.to_thread(self._fixes_since, base, head)

    async def merge(self, cut: Cut, head: str, *, files: Files | None = None, post: bool = False) -> str:
        """Merge a tag that was cut from an older commit into the branch by hand, with some files as they were settled; give the commit.

        With ``post`` it is the Post commit on top of the merge.
        """
        return await asyncio.to_thread(self._merge, cut, head, files or {}, post=post)

    async def push_branch(self, name: str, commit: str) -> PushAnswer:
        """Push a commit to a branch of the fork, over whatever is there."""
        return await asyncio.to_thread(self._push, self._fork_url(), f"{commit}:refs/heads/{name}", options=["--force"])

    async def retag(self, cut: Cut, *, key: SigningKey | None = None, target: str | None = None, message: str | None = None) -> Cut:
        """Make the tag again, as a new object: at the same commit or another one, perhaps with other words."""
        return await asyncio.to_thread(self._retag, cut, key, target or cut.commit, message)

    async def push_to_fork(self, cut: Cut, *, all_tags: bool = False, force: bool = False) -> PushAnswer:
        """Push the working branch and the tag to the fork; ``all_tags`` is the tools' habit of pushing every tag of the clone."""
        return await asyncio.to_thread(self._push_to_fork, cut, all_tags=all_tags, force=force)

    async def delete_tag_in_fork(self, cut: Cut) -> PushAnswer:
        """Delete the tag in the fork."""
        return await asyncio.to_thread(self._push, self._fork_url(), f":refs/tags/{cut.version.tag}")

    async def post_commit(self, cut: Cut) -> str:
        """Make the commit that marks the branch as a development version again, and give its id."""
        return await asyncio.to_thread(self._post_commit, cut)

    async def push_again(self, refspec: str) -> PushAnswer:
        """Push something of the clone to the fork, over whatever is there."""
        return await asyncio.to_thread(self._push, self._fork_url(), refspec, options=["--force"])

    async def bump_main(self, cut: Cut, *, extra_changes: Files | None = None, onto: str = "", subject: str = "") -> PushAnswer:
        """Make the commit by which main becomes the next version, on top of the tag's, and push it to the fork, over an earlier one."""
        return await asyncio.to_thread(self._bump_main, cut, extra_changes or {}, onto or cut.commit, subject)

    async def run_release_script_to_its_end(self, cut: Cut) -> PushAnswer:
        """Merge the tag, make the Post commit and push branch and tags upstream, as the release script does at its end."""
        return await asyncio.to_thread(self._run_release_script_to_its_end, cut)

    def _cut(self, version: PythonVersion, head: str, extra: Files, key: SigningKey | None) -> Cut:
        when = self.clock()
        if version.ends:
            return Cut(version=version, head=head, commit=head, tag=self._tag(version, head, key, when), tip=head)
        entries = self._clone.entries(head)
        changes = [*self._release_changes(version, head, entries, when), *_as_changes(extra, entries)]
        message = f"Python {version}\n"
        commit = commit_on(
            self._clone,
            f"refs/heads/{version.working_branch}",
            parent=head,
            message=message,
            by=self.account.identity,
            when=when,
            changes=changes,
        )
        tag = self._tag(version, commit, key, when)
        return Cut(version=version, head=head, commit=commit, tag=tag, tip=self._amended(version, commit, when))

    def _release_changes(self, version: PythonVersion, head: str, entries: Mapping[str, Entry], when: datetime) -> Iterator[Change]:
        fragments = [path for path in entries if is_fragment(path)]
        pages = [path for path in self._clone.files_with(head, NEXT_DIRECTIVE_IN_GIT, "*.rst") if path not in fragments]
        old = self._clone.read(head, [*fragments, *pages, *GENERATED_DOCS, PATCHLEVEL, README])
        text = {path: content.decode(errors="surrogateescape") for path, content in old.items()}
        new = {version.news_path: merged_news(version, {path: text[path] for path in fragments}, when)}
        new |= {path: documented(text[path], version) for path in pages}
        new |= {path: generated(text[path], when) for path in GENERATED_DOCS if path in text}
        new[PATCHLEVEL] = patchlevel(text[PATCHLEVEL], version)
        new[README] = readme(new.get(README, text[README]), version)
        yield from (Remove(path=path) for path in fragments)
        yield from _as_changes({path: content.encode(errors="surrogateescape") for path, content in new.items()}, entries)

    def _tag(self, version: PythonVersion, target: str, key: SigningKey | None, when: datetime, message: str | None = None) -> str:
        options = key.git_options if key else ("-c", "tag.gpgSign=false")
        environment = self.account.identity.environment(when) | (key.environment if key else {})
        how = "--sign" if key else "--annotate"
        self._clone.run(*options, "tag", "--force", how, "-m", message or f"Python {version}", version.tag, target, environment=environment)
        return self._clone.resolve(f"refs/tags/{version.tag}")

    def _amended(self, version: PythonVersion, commit: str, when: datetime) -> str:
        identity = self.account.identity.environment(when)
        later = self.account.identity.environment(when + _TIME_TO_AMEND)["GIT_COMMITTER_DATE"]
        tip = self._clone.text(
            "commit-tree",
            f"{commit}^{{tree}}",
            "-p",
            f"{commit}^",
            "-m",
            f"Python {version}",
            environment=identity | {"GIT_COMMITTER_DATE": later},
        )
        self._clone.run("update-ref", f"refs/heads/{version.working_branch}", tip)
        return tip

    def _cut_cherry_picked(self, version: PythonVersion, base: str, picks: Sequence[str], key: SigningKey | None) -> Cut:
        tip = self._clone.resolve(f"{base}^{{commit}}")
        for pick in picks:
            tip = self._picked(tip, pick)
        return self._cut(version, tip, {}, key)

    def _fixes_since(self, base: str, head: str) -> list[str]:
        commits = self._clone.text("rev-list", "--reverse", head, f"^{base}").splitlines()
        touched = {one: self._clone.text("diff-tree", "-r", "--name-only", "--no-commit-id", one).splitlines() for one in commits}
        return [one for one in commits if any(is_fragment(path) for path in touched[one])]

    def _merge(self, cut: Cut, head: str, files: Files, *, post: bool) -> str:
        by, when = self.account.identity, self.clock()
        work = HandMerge(clone=self._clone, by=by, when=when, version=cut.version, head=head, released=cut.commit)
        merge = work.merge(files)
        return work.post(merge) if post else merge

    def _picked(self, onto: str, pick: str) -> str:
        patch = self._clone.run("diff-tree", "--patch", "--binary", "--full-index", "--no-commit-id", pick)
        with self._index() as environment:
            self._clone.run("read-tree", onto, environment=environment)
            self._clone.run("apply", "--cached", feed=patch, environment=environment)
            tree = self._clone.text("write-tree", environment=environment)
        message = self._clone.text("log", "-1", "--format=%B", pick)
        return self._clone.text("commit-tree", tree, "-p", onto, "-m", message, environment=self.account.identity.environment(self.clock()))

    @contextmanager
    def _index(self) -> Iterator[dict[str, str]]:
        with TemporaryDirectory(dir=self.home) as folder:
            yield {"GIT_INDEX_FILE": f"{folder}/index"}

    def _retag(self, cut: Cut, key: SigningKey | None, target: str, message: str | None) -> Cut:
        # A later second makes it a new object even when nothing else differs.
        when = self.clock() + _TIME_TO_AMEND
        tag = self._tag(cut.version, target, key, when, message)
        return Cut(version=cut.version, head=cut.head, commit=target, tag=tag, tip=cut.tip)

    def _push_to_fork(self, cut: Cut, *, all_tags: bool, force: bool) -> PushAnswer:
        branch = f"refs/heads/{cut.version.working_branch}"
        tag = f"refs/tags/{cut.version.tag}"
        refspecs = [*([] if cut.version.ends else [f"{cut.tip}:{branch}"]), *([] if all_tags else [f"{tag}:{tag}"])]
        options = [*(["--tags"] if all_tags else []), *(["--force"] if force else [])]
        return self._push(self._fork_url(), *refspecs, options=options)

    def _fork_url(self) -> str:
        if self.fork is None:
            message = f"{self.account.login} has no fork in this world."
            raise ValueError(message)
        return self.fork

    def _post_commit(self, cut: Cut) -> str:
        old = {path: content.decode() for path, content in self._clone.read(cut.commit, [PATCHLEVEL, README]).items()}
        changes = version_files(cut.version, cut.version.suffix, old[PATCHLEVEL], old[README])
        ref = f"refs/heads/post-{cut.version}"
        message = f"Post {cut.version}\n"
        return commit_on(self._clone, ref, parent=cut.commit, message=message, by=self.account.identity, when=self.clock(), changes=changes)

    def _bump_main(self, cut: Cut, extra: Files, onto: str, subject: str) -> PushAnswer:
        new = development(cut.version)
        entries = self._clone.entries(onto)
        old = {path: content.decode() for path, content in self._clone.read(onto, [path for path in EDITED if path in entries]).items()}
        texts = bumped(old, cut.version) | {f"Doc/whatsnew/{new.series}.rst": whats_new(new)}
        texts[README] = with_pep(texts[README], new)
        changes = _as_changes({path: text.encode() for path, text in texts.items()} | dict(extra), entries)
        ref, message = f"refs/heads/{new.working_branch}", f"{subject or f'Python {new}'}\n"
        tip = commit_on(self._clone, ref, parent=onto, message=message, by=self.account.identity, when=self.clock(), changes=changes)
        return self._push(self._fork_url(), f"{tip}:{ref}", options=["--force"])

    def _run_release_script_to_its_end(self, cut: Cut) -> PushAnswer:
        # The branch has not moved since the cut, so merging the tag is a fast-forward.
        post = self._post_commit(cut)
        return self._push(self.upstream, f"{post}:refs/heads/{cut.version.branch}", options=["--tags"])


def _as_changes(files: Files, entries: Mapping[str, Entry]) -> Iterator[Change]:
    for path, content in files.items():
        if content is None:
            yield Remove(path=path)
        elif path in entries:
            yield Write(path=path, content=content, mode=entries[path].mode)
        else:
            yield Write(path=path, content=content)
