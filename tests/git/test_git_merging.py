"""Merging without a work tree gives what git itself gives, the same every time, and says what it cannot merge."""

from datetime import UTC, datetime
from pathlib import Path

from bot.release.facts import PlannedRef
from bot.release.ids import CommitId, branch_ref
from bot.services.git import Git, Identity
from tests.git.conftest import FORK, UPSTREAM
from tests.git.server import GitServer, commit, git

BOT = Identity(name="brother-maynard[bot]", email="1+brother-maynard[bot]@users.noreply.github.com")
DATE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MESSAGE = "Merge tag 'v3.15.0rc2' into 3.15"
LINES = b"".join(b"line %d\n" % number for number in range(20))


class Apart:
    """A branch upstream that moved on, and a release in a fork that does not know it."""

    def __init__(self, server: GitServer, theirs: dict[str, bytes | None]) -> None:
        self.upstream, self.fork = server.repository(UPSTREAM), server.repository(FORK)
        self.base = commit(self.upstream, {"README.rst": b"rc1\n", "Lib/a.py": LINES, "Lib/b.py": LINES})
        git("fetch", "--quiet", str(self.upstream), "refs/heads/main:refs/heads/main", directory=self.fork)
        ours: dict[str, bytes | None] = {
            "README.rst": b"rc1+dev\n",
            "Lib/a.py": LINES.replace(b"line 2\n", b"two\n"),
            "Lib/new.py": b"new\n",
        }
        self.head = commit(self.upstream, ours, parent=self.base)
        self.tip = commit(self.fork, {"README.rst": b"rc2\n", **theirs}, parent=self.base, branch="release")

    async def fetched(self, client: Git) -> Git:
        await client.fetch_range(UPSTREAM, self.base, self.head)
        await client.fetch_range(FORK, self.base, self.tip)
        return client


async def test_what_only_one_side_changes_is_merged_and_pushed(server: GitServer, git_client: Git, tmp_path: Path) -> None:
    apart = Apart(server, {"Lib/a.py": LINES.replace(b"line 17\n", b"seventeen\n"), "Lib/b.py": None})
    merged = await (await apart.fetched(git_client)).merged(apart.head, apart.tip)
    assert merged
    assert merged.conflicts == ("README.rst",)
    parents = (apart.head, apart.tip)
    made = await git_client.write_merge(parents, merged.tree, {"README.rst": b"rc2\n"}, BOT, DATE, MESSAGE)
    again = Git(tmp_path / "elsewhere", server.url)
    anew = await (await apart.fetched(again)).merged(apart.head, apart.tip)
    assert anew == merged
    assert await again.write_merge(parents, merged.tree, {"README.rst": b"rc2\n"}, BOT, DATE, MESSAGE) == made
    assert (await git_client.commit(made)).parents == parents
    assert await git_client.file(made, "Lib/a.py") == LINES.replace(b"line 2\n", b"two\n").replace(b"line 17\n", b"seventeen\n")
    assert {one.path for one in await git_client.diff(apart.head, made)} == {"README.rst", "Lib/a.py", "Lib/b.py"}
    # Everything that pushing it takes is here, though no server has all of it.
    report = await git_client.push(UPSTREAM, [PlannedRef(ref=branch_ref("main"), old=CommitId(apart.head), new=made)])
    assert report.accepted
    assert git("cat-file", "-p", f"{made}:README.rst", directory=apart.upstream) == "rc2"
    git("fsck", "--full", "--strict", directory=apart.upstream)


async def test_every_conflict_is_named(server: GitServer, git_client: Git) -> None:
    apart = Apart(server, {"Lib/a.py": LINES.replace(b"line 2\n", b"2\n"), "Lib/new.py": b"other\n"})
    merged = await (await apart.fetched(git_client)).merged(apart.head, apart.tip)
    assert merged
    assert sorted(merged.conflicts) == ["Lib/a.py", "Lib/new.py", "README.rst"]


async def test_without_exactly_one_common_ancestor_nothing_is_merged(server: GitServer, git_client: Git) -> None:
    apart = Apart(server, {})
    alone = commit(apart.upstream, {"other.txt": b"alone\n"}, branch="alone")
    await git_client.fetch(UPSTREAM, [alone, apart.head])
    assert await git_client.merged(apart.head, alone) is None
