"""Run git as if every file it reads were hostile: own environment, own configuration, no hooks, no prompts, no secrets on the command line.

Every variable and setting used here is described in https://git-scm.com/docs/git#_environment_variables and
https://git-scm.com/docs/git-config.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.errors import Unavailable
from bot.services.git.errors import GitError, TooLarge
from bot.services.git.scrub import scrub

_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.askPass=",
    "credential.helper=",
    "transfer.fsckObjects=true",
    "protocol.version=2",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "fetch.recurseSubmodules=no",
    "fetch.writeCommitGraph=false",
    "submodule.recurse=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "push.followTags=false",
    "pack.useSparse=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_ENVIRONMENT: Final = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ADVICE": "0",
}
_CHUNK: Final = 1 << 16
_COMPLAINT: Final = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of git.

    ``network`` allows http and https; otherwise git may not talk to anything. ``configuration`` and ``environment`` travel in the
    environment, so they may hold what must not be seen in a list of processes; whatever is listed in ``secrets`` is taken out of what
    git says. ``limit`` is the largest accepted output in bytes.
    """

    arguments: Sequence[str]
    directory: Path | None = None
    given: bytes = b""
    network: bool = False
    configuration: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    limit: int = 1 << 26


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What git answered; ``complaint`` is its standard error without secrets."""

    code: int
    output: bytes
    complaint: str

    @property
    def last_word(self) -> str:
        """Return the last line of the complaint that is not empty, for people."""
        lines = [line.strip() for line in self.complaint.splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"exit code {self.code}"


class Runner:
    """Runs one git program with a private home directory; ``timeout`` is in seconds and holds for each call."""

    def __init__(self, home: Path, *, program: str, timeout: float) -> None:
        """Remember where and how to run."""
        self._home = home
        self._program = program
        self._timeout = timeout

    async def run(self, call: Call) -> Answer:
        """Run git to its end and return its answer, whatever its exit code.

        Raises Unavailable when the time is over, TooLarge when it says too much, GitError when there is no such program. When this
        raises or is cancelled, git and everything it started are dead.
        """
        process = await self._start(call)
        ended = False
        try:
            async with asyncio.timeout(self._timeout):
                output, complaint, _ = await asyncio.gather(
                    _read(process, process.stdout, call.limit), _read_tail(process.stderr), _feed(process.stdin, call.given)
                )
                code = await process.wait()
            ended = True
        except TimeoutError:
            raise Unavailable(f"git {call.arguments[0]} was not done after {self._timeout:g} seconds.") from None
        finally:
            # Git may have ended while a helper of it holds on to the pipes.
            if not ended:
                _kill(process)
                await asyncio.shield(process.wait())
        if output is None:
            raise TooLarge(f"git {call.arguments[0]} answered with more than the {call.limit} bytes that are allowed.")
        return Answer(code=code, output=output, complaint=scrub(complaint.decode(errors="replace"), call.secrets))

    async def _start(self, call: Call) -> Process:
        """Start git in a process group of its own."""
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        try:
            return await asyncio.create_subprocess_exec(
                self._program,
                *settings,
                *call.arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self._home,
                env=self._environment(call),
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise GitError(f"{self._program} could not be started ({error.strerror}); install git 2.39 or newer.") from None

    def _environment(self, call: Call) -> dict[str, str]:
        """Return the whole environment of a call; nothing but PATH is inherited."""
        environment = {
            **_ENVIRONMENT,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home),
            "TMPDIR": str(self._home),
            "GIT_CEILING_DIRECTORIES": str(self._home),
            "GIT_ALLOW_PROTOCOL": "http:https" if call.network else "",
            "GIT_CONFIG_COUNT": str(len(call.configuration)),
            **call.environment,
        }
        if call.directory:
            environment["GIT_DIR"] = str(call.directory)
        for number, (key, value) in enumerate(call.configuration.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return environment


async def _feed(stdin: asyncio.StreamWriter | None, given: bytes) -> None:
    """Write all input and close; a program that stops reading early says why by its exit code."""
    if stdin is None:
        return
    try:
        stdin.write(given)
        await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        stdin.close()


async def _read(process: Process, stdout: asyncio.StreamReader | None, limit: int) -> bytes | None:
    """Read all output; kill the program and return None when it is more than the limit."""
    parts: list[bytes] = []
    size = 0
    while stdout and (part := await stdout.read(_CHUNK)):
        size += len(part)
        if size > limit:
            _kill(process)
            return None
        parts.append(part)
    return b"".join(parts)


async def _read_tail(stderr: asyncio.StreamReader | None) -> bytes:
    """Read all complaints and keep the end of them."""
    tail = b""
    while stderr and (part := await stderr.read(_CHUNK)):
        tail = (tail + part)[-_COMPLAINT:]
    return tail


def _kill(process: Process) -> None:
    """Kill the process and all it started; they share a group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
