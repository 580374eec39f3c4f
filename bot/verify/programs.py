"""Run the programs that verify signatures: in a private folder, with next to no environment, for a limited time."""

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Unavailable, UserError


class ProgramMissing(UserError):
    """A program that verifying needs is not installed."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a program ended; ``output`` and ``complaint`` are its two streams."""

    code: int
    output: bytes
    complaint: str


def run(arguments: Sequence[str], *, folder: Path, timeout: float, given: bytes = b"") -> Finished:
    """Run a program to its end; this blocks.

    ``folder`` is its home and working directory, ``timeout`` is in seconds. Raises Unavailable when the time is over (the program and
    all it started are then dead) and ProgramMissing.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "GNUPGHOME": str(folder), "LC_ALL": "C", "TZ": "UTC"}
    try:
        with subprocess.Popen(  # noqa: S603 - no shell; the program is named by us, its arguments are options of ours and paths in a private folder
            list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                output, complaint = process.communicate(given, timeout=timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{arguments[0]} was not done after {timeout:g} seconds.") from None
    except (FileNotFoundError, PermissionError):
        raise ProgramMissing(f"{arguments[0]} could not be started; install it (packages gnupg, gpgv and openssh-client).") from None
    return Finished(code=process.returncode, output=output, complaint=complaint.decode(errors="replace"))


def version_of(program: str) -> str:
    """Return the version that git or a program of GnuPG says it has, the last word of its first line; empty where it is missing."""
    try:
        finished = run((program, "--version"), folder=Path("/"), timeout=10.0)
    except (ProgramMissing, Unavailable):
        return ""
    first = finished.output.decode(errors="replace").partition("\n")[0].split()
    return first[-1] if first else ""
