"""``python -m bot profile``: check a profile, or write the page that describes every profile."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bot.profile import Profile, ProfileError, load
from bot.profile.docs import page
from bot.settings import DEFAULT_HOME

DONE = 0
WRONG = 2


class Answer(NamedTuple):
    """What a check found; ``notes`` are things to know about a profile that is otherwise right."""

    profile: str
    valid: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def run(arguments: Sequence[str]) -> int:
    """Carry out ``check FILE [--json]`` or ``docs``; return the exit code: 0 done, 2 wrong use or a wrong profile."""
    parser = argparse.ArgumentParser(prog="python -m bot profile", description="Check a profile, or describe what a profile may say.")
    commands = parser.add_subparsers(dest="command", required=True)
    check_parser = commands.add_parser("check", help="say whether a profile can be used, and if not, where it is wrong")
    check_parser.add_argument("file", help="the path of a profile, or the name of a shipped one")
    check_parser.add_argument("--json", action="store_true", help="print one JSON object")
    commands.add_parser("docs", help="print docs/profile.md")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else WRONG
    if options.command == "docs":
        sys.stdout.write(page())
        return DONE
    home = Path(os.environ.get("BOT_HOME") or DEFAULT_HOME)
    answer = check(options.file, home.expanduser())
    _report(answer, as_json=options.json)
    return DONE if answer.valid else WRONG


def check(source: str, home: Path) -> Answer:
    """Load a profile and tell what is wrong with it, or what to know about it; ``home`` is the folder BOT_HOME."""
    try:
        profile = load(source, home=home)
    except ProfileError as error:
        return Answer(profile=source, valid=False, problems=tuple(str(error).splitlines()), notes=())
    return Answer(profile=source, valid=True, problems=(), notes=tuple(_notes(profile)))


def _notes(profile: Profile) -> list[str]:
    unknown = [person.login for person in profile.people if not person.id]
    files = [*profile.trust.openpgp, *filter(None, [profile.trust.allowed_signers])]
    return [
        *(f"{login} has the id 0, so this person is mentioned but neither obeyed nor watched." for login in unknown),
        *(f"{path} is not there yet, so no signature by a key in it can be checked." for path in files if not path.is_file()),
    ]


def _report(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(answer._asdict(), ensure_ascii=False) + "\n")
        return
    for problem in answer.problems:
        sys.stderr.write(f"{problem}\n")
    if answer.valid:
        sys.stdout.write("".join(f"{line}\n" for line in (f"{answer.profile} is a valid profile.", *answer.notes)))
