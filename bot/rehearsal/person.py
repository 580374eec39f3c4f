"""A person with a clone: fetches, commits and pushes with real git over HTTP, with a token of their own."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bot.rehearsal.fast_import import Write, commit_on
from bot.rehearsal.release_edits import fragment_path
from bot.rehearsal.repository import Identity, LocalRepository


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who somebody is: on GitHub, in git, and the token they push with."""

    login: str
    token: str
    identity: Identity


@dataclass(frozen=True, kw_only=True)
class PushedRef:
    """What became of one ref of a push; ``flag`` is git's (https://git-scm.com/docs/git-push#_output)."""

    ref: str
    flag: str
    summary: str

    @property
    def accepted(self) -> bool:
        """Tell whether the ref is now where it was wanted."""
        return self.flag != "!"


@dataclass(frozen=True, kw_only=True)
class PushAnswer:
    """The answer to a push: every ref, and the words that the server sent."""

    refs: tuple[PushedRef, ...]
    words: str

    @property
    def accepted(self) -> bool:
        """Tell whether everything was accepted."""
        return bool(self.refs) and all(ref.accepted for ref in self.refs)

    def refused(self) -> list[str]:
        """Name the refs that were refused."""
        return [ref.ref for ref in self.refs if not ref.accepted]


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """A commit that somebody tried to bring upstream."""

    commit: str
    answer: PushAnswer


def present() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Person:
    """Somebody with a private clone of the upstream repository, in a folder of their own."""

    def __init__(
        self, account: Account, *, home: Path, upstream: str, clock: Callable[[], datetime] = present, fork: str | None = None
    ) -> None:
        """Prepare the clone; ``upstream`` and ``fork`` are URLs that git can fetch from and push to."""
        self.account = account
        self.upstream = upstream
        self.fork = fork
        self.clock = clock
        self.home = home
        self._clone = LocalRepository.create(home / "clone.git", _with_token(account))
        self._fixes = count(1)

    async def fetch(self) -> None:
        """Fetch every branch and tag of upstream."""
        await asyncio.to_thread(self._fetch)

    async def upstream_head(self, branch: str) -> str:
        """Give the id that a branch has upstream now."""
        return await asyncio.to_thread(self._upstream_head, branch)

    async def merge_fix(self, branch: str) -> Contribution:
        """Try to bring a small fix with its NEWS entry to a branch upstream."""
        return await asyncio.to_thread(self._merge_fix, branch)

    async def commit_upstream(self, branch: str, files: Sequence[Write], message: str) -> Contribution:
        """Try to bring a commit with the given files to a branch upstream."""
        return await asyncio.to_thread(self._commit_upstream, branch, files, message)

    async def push_upstream(self, refspec: str) -> PushAnswer:
        """Try to push something of the clone upstream, such as ``refs/tags/3.10:refs/tags/3.10``."""
        return await asyncio.to_thread(self._push, self.upstream, refspec)

    async def delete_upstream(self, ref: str) -> PushAnswer:
        """Try to delete a ref upstream, such as ``refs/tags/v3.15.0a3``."""
        return await asyncio.to_thread(self._push, self.upstream, f":{ref}")

    def _fetch(self) -> None:
        self._clone.run(
            "fetch", "--quiet", "--force", "--prune", self.upstream, "+refs/heads/*:refs/remotes/upstream/*", "refs/tags/*:refs/tags/*"
        )

    def _upstream_head(self, branch: str) -> str:
        self._clone.run("fetch", "--quiet", "--no-tags", self.upstream, f"+refs/heads/{branch}:refs/remotes/upstream/{branch}")
        return self._clone.resolve(f"refs/remotes/upstream/{branch}")

    def _merge_fix(self, branch: str) -> Contribution:
        number = next(self._fixes)
        issue = 150_000 + number
        news = f"Fix the shrubbery number {number}: the herring is no longer too short to cut down the mightiest tree."
        files = [
            Write(path=fragment_path("Library", issue, news, self.clock()), content=f"{news}\n".encode()),
            Write(path=f"Lib/test/test_shrubbery_{number}.py", content=f'"""Test shrubbery number {number}."""\n'.encode()),
        ]
        return self._commit_upstream(branch, files, f"gh-{issue}: Fix a shrubbery")

    def _commit_upstream(self, branch: str, files: Sequence[Write], message: str) -> Contribution:
        head = self._upstream_head(branch)
        commit = commit_on(
            self._clone,
            "refs/heads/contribution",
            parent=head,
            message=f"{message}\n",
            by=self.account.identity,
            when=self.clock(),
            changes=files,
        )
        return Contribution(commit=commit, answer=self._push(self.upstream, f"{commit}:refs/heads/{branch}"))

    def _push(self, url: str, *refspecs: str, options: Sequence[str] = ()) -> PushAnswer:
        done = self._clone.attempt("push", "--porcelain", *options, url, *refspecs)
        lines = [line.split("\t") for line in done.stdout.decode(errors="replace").splitlines() if line.count("\t") == 2]  # noqa: PLR2004 - flag, refs, summary
        refs = tuple(PushedRef(ref=names.rpartition(":")[2], flag=flag, summary=summary) for flag, names, summary in lines)
        return PushAnswer(refs=refs, words=done.stderr.decode(errors="replace"))


def _with_token(account: Account) -> dict[str, str]:
    """Hand the token to git by its environment: never in a URL, an argument or a file."""
    basic = base64.b64encode(f"{account.login}:{account.token}".encode()).decode()
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}"}
