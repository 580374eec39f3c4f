"""The command line: each command is a module with ``run(arguments) -> exit code``, loaded only when it is asked for.

Exit codes: 0 done, 1 the answer is no, 2 wrong use or configuration, 130 interrupted, 141 nobody reads what is told.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from typing import Final

from bot import __version__
from bot.errors import UserError

WRONG_USE: Final = 2
INTERRUPTED: Final = 130
UNREAD: Final = 141


@dataclass(frozen=True)
class Entry:
    """One command: the module that runs it, and one line about it."""

    module: str
    about: str


COMMANDS: Final = {
    "serve": Entry("bot.serve_command", "run the bot, configured by the environment"),
    "rehearse": Entry("bot.rehearsal.rehearse", "carry a release through a world in a box"),
    "verify": Entry("bot.verify_command", "prove that what is published as a release is that release"),
    "verify-tag": Entry("bot.verify.command", "prove a tag object from a file"),
    "commands": Entry("bot.command_help", "print what people can say in a comment"),
    "dossier": Entry("bot.dossier_command", "check the dossier of a release, or print what dossiers say"),
    "profile": Entry("bot.profile.command", "check a profile, or print what profiles can say"),
}


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<12} {entry.about}" for name, entry in COMMANDS.items()]
    return "\n".join([f"Brother Maynard {__version__}, the release bot", "", "usage: python -m bot COMMAND …", "", *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an answer must not end where a terminal lacks a letter
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] in (["-h"], ["--help"], ["help"]):
        sys.stdout.write(usage() + "\n")
        return 0
    if words[:1] == ["--version"]:
        sys.stdout.write(f"{__version__}\n")
        return 0
    entry = COMMANDS.get(words[0]) if words else None
    if entry is None:
        sys.stderr.write(usage() + "\n")
        return WRONG_USE
    try:
        code = int(import_module(entry.module).run(words[1:]))
        sys.stdout.flush()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still to be written goes nowhere: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return code


if __name__ == "__main__":
    sys.exit(main())
