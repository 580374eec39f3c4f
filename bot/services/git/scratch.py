"""The scratch repository: bare, disposable, bounded, and rebuilt whenever it is not what it should be."""

import asyncio
import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.services.git.errors import GitError, ObjectMissing, TooLarge
from bot.services.git.model import Limits
from bot.services.git.process import Answer, Call, Runner

_FORMAT: Final = "1\n"
_KILOBYTE: Final = 1024
_DAMAGE: Final = re.compile(
    r"(?i)corrupt|garbage|inflate|does not match|hash mismatch|invalid object|unable to (?:unpack|mmap)|cannot be accessed|is empty"
    r"|not a git repository"
)
_OLDEST: Final = (2, 39)


class Scratch:
    """A bare repository in a home of its own.

    Its configuration never names a remote, so that no reading command can ever reach the network.
    """

    def __init__(self, home: Path, runner: Runner, limits: Limits) -> None:
        """Remember where it is; nothing is touched before ``ensure``."""
        self._home = home
        self.path = home / "scratch.git"
        self._runner = runner
        self.limits = limits
        self._suspect = False
        self._version_known = False
        self._may_have_grown = True
        self.doubts = 0
        """How often there was reason to doubt that what was in it still is: what was read before the last of them says nothing."""

    async def is_sound(self) -> bool:
        """Tell whether there is a repository that this version made to its end."""
        return await asyncio.to_thread(self._looks_sound)

    async def renew(self) -> None:
        """Make sure of a sound and not too large repository, if need be an empty one."""
        await self._prepare()
        if self._suspect or not await self.is_sound() or (self._may_have_grown and await self._too_large()):
            await self.discard()
        self._may_have_grown = False
        await self.ensure()

    async def ensure(self) -> None:
        """Make sure that there is a repository, if need be an empty one."""
        if await self.is_sound():
            return
        await self._prepare()
        await self.discard()
        fresh = self._home / f"new-{uuid.uuid4().hex}.git"
        answer = await self._runner.run(Call(arguments=("init", "--quiet", "--bare", "--template=", str(fresh))))
        if answer.code:
            raise GitError(f"No scratch repository could be made in {self._home} ({answer.last_word}); make that folder writable.")
        await asyncio.to_thread(self._install, fresh)

    async def discard(self) -> None:
        """Throw everything away."""
        await asyncio.to_thread(self._remove)
        self._suspect = False
        self.doubts += 1

    async def read(
        self, *arguments: str, given: bytes = b"", good: Sequence[int] = (0,), limit: int | None = None, index: Path | None = None
    ) -> Answer:
        """Run a command that needs no network.

        Any exit code that is not among the good ones means that something is missing or damaged: ObjectMissing is raised, and after damage
        the next fetch begins with an empty repository.
        """
        answer = await self._runner.run(
            Call(
                arguments=arguments,
                directory=self.path,
                given=given,
                limit=limit or self.limits.output,
                environment={"GIT_INDEX_FILE": str(index)} if index else {},
            )
        )
        damaged = bool(_DAMAGE.search(answer.complaint))
        self._suspect = self._suspect or damaged
        if damaged or answer.code not in good:
            self.doubts += 1
            raise ObjectMissing(f"git {arguments[0]} could not read what it needs ({answer.last_word}); it has to be fetched again.")
        return answer

    async def talk(self, *arguments: str, configuration: dict[str, str], secrets: Sequence[str], given: bytes = b"") -> Answer:
        """Run a command that may talk to the server and return its answer, whatever it is."""
        self._may_have_grown = True
        return await self._runner.run(
            Call(
                arguments=arguments,
                directory=self.path,
                given=given,
                network=True,
                configuration=configuration,
                secrets=secrets,
                limit=self.limits.output,
            )
        )

    def _looks_sound(self) -> bool:
        """Tell whether the folder is one that this version made to its end."""
        try:
            return (self.path / "brother-maynard").read_text() == _FORMAT and (self.path / "HEAD").stat().st_size > 0
        except OSError:
            return False

    async def _too_large(self) -> bool:
        """Tell whether the repository has outgrown its limits; one that cannot be measured has."""
        try:
            answer = await self.read("count-objects", "-v")
        except (ObjectMissing, TooLarge):
            return True
        numbers = {
            key: int(value) for key, _, value in (line.partition(": ") for line in answer.output.decode().splitlines()) if value.isdigit()
        }
        size = _KILOBYTE * sum(numbers.get(key, 0) for key in ("size", "size-pack", "size-garbage"))
        return size > self.limits.repository or numbers.get("packs", 0) > self.limits.packs

    async def _prepare(self) -> None:
        """Make sure of the folder, which may vanish at any time; raise GitError when git is too old."""
        await asyncio.to_thread(self._home.mkdir, mode=0o700, parents=True, exist_ok=True)
        if self._version_known:
            return
        answer = await self._runner.run(Call(arguments=("version",)))
        words = answer.output.decode(errors="replace").split()
        numbers = tuple(int(part) for part in (words[2] if len(words) > 2 else "").split(".")[:2] if part.isdigit())  # noqa: PLR2004 - "git version X"
        if numbers < _OLDEST:
            raise GitError(f"This is {' '.join(words[:3]) or 'not git'}, which is too old; install git 2.39 or newer.")
        self._version_known = True

    def _install(self, fresh: Path) -> None:
        """Put a new repository in place; if another one was quicker, keep that one."""
        (fresh / "brother-maynard").write_text(_FORMAT)
        try:
            fresh.rename(self.path)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)

    def _remove(self) -> None:
        """Move the repository out of the way at once, then delete it and what earlier deaths left behind."""
        if self.path.exists():
            self.path.rename(self._home / f"old-{uuid.uuid4().hex}.git")
        for path in self._home.iterdir():
            if path.name.startswith(("old-", "new-", "index-")):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
