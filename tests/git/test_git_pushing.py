from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.release.facts import PlannedRef
from bot.release.ids import CommitId, Ref, Repository, TagId, branch_ref, tag_ref
from bot.services.git import Git, GitError, Identity, ObjectMissing, PushStatus
from bot.services.git.process import Answer
from bot.services.git.remote import nothing_was_sent
from tests.git.conftest import FORK, UPSTREAM
from tests.git.server import GitServer, commit, git
from tests.git.story import Story, prepare

FATAL = "fatal: unable to access 'https://github.com/python/cpython.git/': The requested URL returned error: 403"
TOKEN = "ghs_ThisIsASecretThatNobodyMaySee"
MAIN = branch_ref("main")
TAG = tag_ref("v3.15.0a3")


def plan(story: Story) -> list[PlannedRef]:
    return [PlannedRef(ref=MAIN, old=story.base, new=story.tip), PlannedRef(ref=TAG, old=None, new=story.tag)]


async def upstream(git_client: Git) -> dict[str, str]:
    return dict((await git_client.refs(UPSTREAM)).items())


async def ready(server: GitServer, git_client: Git, token: str | None = None) -> Story:
    story = prepare(server)
    await git_client.fetch_range(FORK, story.base, story.tip, token)
    await git_client.fetch(FORK, [story.tag], token)
    return story


async def test_branch_and_tag_arrive_together_and_complete(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    server.requests.clear()
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain, report.message) == (True, False, "")
    assert [(pushed.ref, pushed.status) for pushed in report.refs] == [(MAIN, PushStatus.UPDATED), (TAG, PushStatus.CREATED)]
    assert await upstream(git_client) == {MAIN: story.tip, TAG: story.tag}
    git("fsck", "--full", "--strict", directory=story.upstream)
    assert len(server.requests) <= 4


async def test_a_push_that_is_done_already_is_no_harm(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    await git_client.push(UPSTREAM, plan(story))
    again = await git_client.push(UPSTREAM, [PlannedRef(ref=MAIN, old=story.tip, new=story.tip)])
    assert again.accepted
    assert again.refs[0].status is PushStatus.UNCHANGED


async def test_a_new_branch_can_be_pushed_beside_the_old_one(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    refs = [PlannedRef(ref=branch_ref("3.15"), old=None, new=story.tip), *plan(story)]
    assert (await git_client.push(UPSTREAM, refs)).accepted
    assert set(await git_client.refs(UPSTREAM)) == {MAIN, TAG, branch_ref("3.15")}


async def test_a_moved_branch_stops_the_tag_too(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    moved = commit(story.upstream, {"late.txt": b"late\n"}, parent=story.base)
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, False)
    assert "stale" in report.refs[0].summary
    assert await upstream(git_client) == {MAIN: moved}


async def test_a_tag_that_exists_stops_the_branch_too(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    git("update-ref", TAG, story.base, directory=story.upstream)
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, False)
    assert await upstream(git_client) == {MAIN: story.base, TAG: story.base}


async def test_a_branch_the_server_rewound_is_not_silently_moved(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    git("update-ref", MAIN, f"{story.base}^", directory=story.upstream)
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, False)
    assert await upstream(git_client) == {MAIN: git("rev-parse", f"{story.base}^", directory=story.upstream)}


async def test_what_a_hook_refuses_for_one_ref_holds_for_all(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    _hook(story.upstream, "update", '[ "$1" != refs/tags/v3.15.0a3 ] || { echo "GH013: Repository rule violations found" >&2; exit 1; }')
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, False)
    assert {pushed.status for pushed in report.refs} == {PushStatus.REFUSED}
    assert "hook declined" in report.refs[1].summary
    assert await upstream(git_client) == {MAIN: story.base}


async def test_words_of_the_server_are_cleaned(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    _hook(story.upstream, "pre-receive", 'printf "\\033[2Jno\\n" >&2; exit 1')
    report = await git_client.push(UPSTREAM, plan(story))
    assert not report.accepted
    assert "\x1b" not in f"{report}"


async def test_when_the_answer_is_lost_nobody_claims_to_know(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    server.lose_push_answers = True
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, True)
    assert await upstream(git_client) == {MAIN: story.tip, TAG: story.tag}


async def test_when_time_is_over_nobody_claims_to_know(server: GitServer, tmp_path: Path) -> None:
    git_client = Git(tmp_path / "home", server.url, timeout=1.5)
    story = await ready(server, git_client)
    server.stall = True
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, True)
    assert {pushed.status for pushed in report.refs} == {PushStatus.UNKNOWN}


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_a_server_that_lets_nobody_in_was_not_asked_for_anything(server: GitServer, git_client: Git, status: int) -> None:
    story = await ready(server, git_client)
    server.status = status
    report = await git_client.push(UPSTREAM, plan(story))
    assert (report.accepted, report.uncertain) == (False, False)
    assert report.message
    server.status = 0
    assert await upstream(git_client) == {MAIN: story.base}


async def test_history_is_never_rewritten_even_with_the_right_lease(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    stranger = CommitId(commit(story.fork, {"other": b"1"}, branch="stranger"))
    await git_client.fetch_range(FORK, story.base, stranger)
    server.requests.clear()
    report = await git_client.push(UPSTREAM, [PlannedRef(ref=MAIN, old=story.base, new=stranger), plan(story)[1]])
    assert (report.accepted, report.uncertain) == (False, False)
    assert "does not descend" in report.message
    assert [pushed.status for pushed in report.refs] == [PushStatus.REFUSED, PushStatus.NOT_TRIED]
    assert server.requests == []


async def test_a_tag_is_never_moved_and_a_branch_never_made_of_a_tag(server: GitServer, git_client: Git) -> None:
    story = await ready(server, git_client)
    moved = await git_client.push(UPSTREAM, [PlannedRef(ref=TAG, old=story.base, new=story.tag)])
    made = await git_client.push(UPSTREAM, [PlannedRef(ref=branch_ref("3.15"), old=None, new=story.tag)])
    assert "never moved" in moved.message
    assert "cannot point to a tag" in made.message


async def test_a_push_without_all_its_objects_does_not_start(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.base, story.tag])
    server.requests.clear()
    with pytest.raises(ObjectMissing, match="have to be fetched"):
        await git_client.push(UPSTREAM, plan(story))
    assert server.requests == []


@pytest.mark.parametrize(
    "refs",
    [
        [],
        [PlannedRef(ref=Ref("main"), old=None, new=CommitId("a" * 40))],
        [PlannedRef(ref=MAIN, old=None, new=CommitId("main"))],
        [PlannedRef(ref=MAIN, old=CommitId("0" * 40), new=CommitId("a" * 40))],
        [PlannedRef(ref=MAIN, old=None, new=TagId("a" * 40)), PlannedRef(ref=MAIN, old=None, new=TagId("b" * 40))],
    ],
)
async def test_a_malformed_plan_never_reaches_git(git_client: Git, refs: list[PlannedRef]) -> None:
    with pytest.raises(GitError):
        await git_client.push(UPSTREAM, refs)


async def test_the_token_opens_the_door_and_is_seen_nowhere(server: GitServer, git_client: Git, tmp_path: Path) -> None:
    server.token = TOKEN
    story = prepare(server)
    lines: set[bytes] = set()
    server.on_request = lambda: lines.update(_command_lines())
    await git_client.fetch_range(FORK, story.base, story.tip, TOKEN)
    await git_client.fetch(FORK, [story.tag], TOKEN)
    report = await git_client.push(UPSTREAM, plan(story), TOKEN)
    assert report.accepted
    assert any(b"push" in line for line in lines)
    assert any(b"fetch" in line for line in lines)
    assert not [line for line in lines if b"ghs_" in line or b"Basic " in line]
    assert _files_with(TOKEN, tmp_path / "home") == []


async def test_the_token_is_in_no_error(server: GitServer, git_client: Git) -> None:
    server.token = "another"
    story = prepare(server)
    with pytest.raises(Exception, match="401") as caught:
        await git_client.fetch(FORK, [story.tip], TOKEN)
    assert TOKEN not in "".join(str(part) for error in _chain(caught.value) for part in (error, repr(error), error.args))


async def test_the_token_is_for_one_repository_of_one_server(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    server.token = TOKEN
    with pytest.raises(GitError, match="OWNER/NAME"):
        await git_client.fetch(Repository("evil.example/a/b"), [story.tip], TOKEN)


def _hook(repository: Path, name: str, script: str) -> None:
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _chain(error: BaseException | None) -> list[BaseException]:
    return [error, *_chain(error.__cause__ or error.__context__)] if error else []


def _command_lines() -> list[bytes]:
    """Return the command line of every process of this machine, as everyone can see it."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            continue
    return lines


def _files_with(text: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("complaint", "sent"),
    [
        (FATAL, False),
        (f"remote: {FATAL}\nfatal: the remote end hung up unexpectedly", True),
        (f"error: RPC failed; HTTP 500\n{FATAL}", True),
        ("fatal: the remote end hung up unexpectedly", True),
    ],
)
def test_only_git_itself_can_say_that_nothing_was_sent(complaint: str, sent: bool) -> None:  # noqa: FBT001 - a row of the table
    assert nothing_was_sent(Answer(code=128, output=b"", complaint=complaint)) is not sent


async def test_a_tag_alone_of_a_commit_that_is_upstream_is_pushed_without_its_files(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(UPSTREAM, [story.base])
    who = Identity(name="brother-maynard[bot]", email="bot@example.org")
    tag = await git_client.write_tag(story.base, "azure-core_1.30.0", who, datetime(2026, 11, 20, tzinfo=UTC), "azure-core 1.30.0")
    ref = tag_ref("azure-core_1.30.0")
    wanted = [PlannedRef(ref=ref, old=None, new=tag)]
    with pytest.raises(ObjectMissing):
        await git_client.push(UPSTREAM, wanted)
    report = await git_client.push(UPSTREAM, wanted, known=[story.base])
    assert (report.accepted, report.message) == (True, "")
    assert (await upstream(git_client))[ref] == tag
