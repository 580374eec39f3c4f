"""What a tag holds cannot be told of every tree; then the sources are not proved, and nothing else is disturbed."""

from types import SimpleNamespace
from typing import cast

import pytest

from bot import proving
from bot.release.facts import Tag
from bot.release.ids import CommitId, TagId, UserId
from bot.services.git import Git
from bot.tools import Tools
from bot.verify.result import ProofName, Verdict
from tests.git.conftest import FORK
from tests.git.server import GitServer, commit, git
from tests.git.story import prepare
from tests.release_builders import opened


@pytest.mark.parametrize(
    ("line", "wrong"), [(b"*.bat eol=crlf", []), (b"a*b*" * 40 + b" eol=crlf", [("v3.15.0a3", ProofName.SOURCE_TREE, Verdict.UNUSABLE)])]
)
async def test_line_ends_that_are_not_followed_are_a_result_and_no_end(
    server: GitServer, git_client: Git, line: bytes, wrong: list[tuple[str, ProofName, Verdict]]
) -> None:
    story = prepare(server)
    made = commit(story.fork, {".gitattributes": line, "README.rst": b"spam"}, parent=story.tip, branch="odd")
    tag = git("hash-object", "-t", "tag", "-w", "--stdin", given=_tag(made), directory=story.fork)
    git("update-ref", "refs/tags/v3.15.0a3", tag, directory=story.fork)
    known = Tag(object=TagId(tag), commit=CommitId(made), name="v3.15.0a3", fork=FORK, owner=UserId(1), content="")
    tools = cast("Tools", SimpleNamespace(git=git_client))
    tree, troubles = await proving.source_tree(opened(), known, tools)
    assert (tree is None) is bool(wrong)
    assert [(one.subject, one.proof, one.verdict) for one in troubles] == wrong


def _tag(made: str) -> bytes:
    return f"object {made}\ntype commit\ntag v3.15.0a3\ntagger A Person <person@example.org> 1700000000 +0100\n\nPython 3.15.0a3\n".encode()
