"""What is remembered of objects never says that something is here that is not."""

import asyncio
from pathlib import Path

from bot.release.ids import ObjectId
from bot.services.git.model import Limits
from bot.services.git.objects import Objects
from bot.services.git.process import Answer, Runner
from bot.services.git.scratch import Scratch

BLOB, TREE = ObjectId("1" * 40), ObjectId("2" * 40)


class Doubted(Scratch):
    """A scratch repository that is thrown away while git answers, and is empty afterwards."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, Runner(home, program="git", timeout=5.0), Limits())
        self.answered = 0

    async def read(self, *arguments: str, given: bytes = b"", **_: object) -> Answer:
        self.answered += 1
        await asyncio.sleep(0)
        if self.answered > 1:
            output = b"".join(b"%s missing\n" % name for name in given.split()) if "cat-file" in arguments else b"?" + given
            return Answer(code=0, output=output, complaint="")
        await self.discard()
        output = b"".join(b"%s blob 4\n" % name for name in given.split()) if "cat-file" in arguments else b""
        return Answer(code=0, output=output, complaint="")


async def test_an_object_that_vanished_while_git_answered_is_looked_for_again(tmp_path: Path) -> None:
    objects = Objects(Doubted(tmp_path))
    assert await objects.missing([BLOB]) == []
    assert await objects.missing([BLOB]) == [BLOB]


async def test_a_tree_that_vanished_while_git_answered_is_looked_for_again(tmp_path: Path) -> None:
    objects = Objects(Doubted(tmp_path))
    assert await objects.missing_below([TREE]) == []
    assert await objects.missing_below([TREE]) == [TREE]
