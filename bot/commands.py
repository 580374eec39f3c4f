"""The slash commands: one table, from which both the reading of comments and the help are made. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt

from bot.command_arguments import ARGUMENTS, REASON, ArgumentError
from bot.command_types import (
    Abort,
    Acknowledge,
    Approve,
    ApproveStage,
    Command,
    Defer,
    Done,
    Freeze,
    Go,
    Halt,
    Help,
    Open,
    Refreeze,
    RejectStage,
    Resume,
    Retry,
    Status,
    Unfreeze,
    Verb,
    Waive,
    open_package,
)
from bot.errors import UserError
from bot.release.quoting import shown, unseen
from bot.release.version import Version, VersionError

__all__ = [
    "GRAMMAR",
    "STANDING",
    "Abort",
    "Acknowledge",
    "Approve",
    "ApproveStage",
    "Command",
    "Defer",
    "Done",
    "Form",
    "Freeze",
    "Go",
    "Halt",
    "Help",
    "NotUnderstood",
    "Open",
    "Refreeze",
    "RejectStage",
    "Resume",
    "Retry",
    "Status",
    "Unfreeze",
    "Verb",
    "Waive",
    "addressed",
    "help_text",
    "is_candidate",
    "parse",
]


@dataclass(frozen=True, kw_only=True)
class NotUnderstood:
    """A comment is meant for us but is no command: ``why`` is one sentence, ``did_you_mean`` a line to write instead, or empty."""

    line: str
    why: str
    did_you_mean: str = ""


@dataclass(frozen=True)
class Form:
    """One row of the grammar: capital words of ``usage`` are arguments, words in brackets may be left out."""

    verb: Verb
    make: Callable[..., Command]
    usage: str
    does: str
    who: str

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that are written as they are: ``("/release", "approve")``."""
        return tuple(word for word in self.usage.split("[")[0].split() if not word.isupper())

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the names of the arguments that must be given, in order."""
        return tuple(word for word in self.usage.split("[")[0].split() if word.isupper())

    @property
    def options(self) -> Mapping[str, str]:
        """Return the options and the name of the argument of each: ``{"--as": "KIND"}``."""
        return dict(re.findall(r"\[(--\S+) (\S+)\]", self.usage))

    @property
    def extra(self) -> tuple[str, ...]:
        """Return the names of the arguments that may follow: ``("SHA256",)``."""
        return tuple(re.findall(r"\[([A-Z0-9-]+)\]", self.usage))


_MANAGER: Final = "a release manager in the team"
_APPROVER: Final = "a release manager in the team, or an approver"
_ANYONE: Final = "anyone with a role or in the team"

GRAMMAR: Final[tuple[Form, ...]] = (
    Form(Verb.OPEN, Open, "/release VERSION [--as KIND]", "start a release on this issue", _MANAGER),
    Form(Verb.OPEN, open_package, "/release PACKAGE VERSION", "start the release of one package, in projects that have several", _MANAGER),
    Form(Verb.STATUS, Status, "/release status", "see where the release stands, and on whom it waits", _ANYONE),
    Form(Verb.APPROVE, Approve, "/release approve FULL-SHA", "approve the push plan of exactly this tag object", _MANAGER),
    Form(Verb.GO, Go, "/release go FULL-SHA", "let everything built for exactly this tag object become public", _MANAGER),
    Form(Verb.DONE, Done, "/release done NAME [SHA256]", "say that a step done by hand is done", "the experts for that step"),
    Form(Verb.DEFER, Defer, "/release defer NAME REASON", "go on without the files of such a step, which follow later", _MANAGER),
    Form(Verb.APPROVE_STAGE, ApproveStage, "/release approve-stage ARTIFACT", "let one artifact of a package become public", _MANAGER),
    Form(Verb.REJECT_STAGE, RejectStage, "/release reject-stage ARTIFACT", "keep one artifact of a package back", _MANAGER),
    Form(Verb.ACKNOWLEDGE, Acknowledge, "/release ack FINDINGS-DIGEST", "take note of the listed findings", _MANAGER),
    Form(
        Verb.WAIVE,
        Waive,
        "/release waive CHECK FULL-SHA REASON",
        "let one failed check pass for one object",
        f"{_APPROVER} who neither started nor tagged the release",
    ),
    Form(Verb.RETRY, Retry, "/release retry STEP", "do a failed step again", "a release manager in the team, or an expert"),
    Form(Verb.REFREEZE, Refreeze, "/release refreeze REASON", "thaw, let a fix in, freeze the new head, tag again", _MANAGER),
    Form(Verb.HALT, Halt, "/release halt REASON", "stop everything; the freeze stays", _ANYONE),
    Form(Verb.RESUME, Resume, "/release resume", "let a halted release go on", _APPROVER),
    Form(Verb.ABORT, Abort, "/release abort REASON", "give the release up and thaw", _MANAGER),
    Form(Verb.HELP, Help, "/release help", "see this list", _ANYONE),
    Form(Verb.FREEZE, Freeze, "/freeze BRANCH REASON", "freeze a branch outside any release", _MANAGER),
    Form(Verb.UNFREEZE, Unfreeze, "/unfreeze BRANCH", "lift such a freeze", _MANAGER),
)

_OPENING, _OPENING_PACKAGE, *_OTHERS = GRAMMAR
_FORMS: Final[Mapping[tuple[str, ...], Form]] = {form.words: form for form in (_OPENING, *_OTHERS)}
_BY_HEAD: Final[Mapping[str, Form]] = {form.words[0]: form for form in (_OPENING, *_OTHERS) if len(form.words) == 1}
_BY_WORD: Final[Mapping[str, Form]] = {form.words[1]: form for form in GRAMMAR if len(form.words) > 1}
_HELP: Final = "/release help"

STANDING: Final = frozenset({Verb.FREEZE, Verb.UNFREEZE})
"""The commands that belong to the project and not to the release of an issue."""

# A misspelt first word must be nearer to ours than "/rebase" is to "/release" (0.8), because other bots listen too.
_LIKENESS: Final = 0.85
# The possessive quantifiers keep the time linear, whatever the blank lines are made of.
_FIRST_WORD: Final = re.compile(r"(?:[ \t]*+(?:\r\n|\r|\n))*+ {0,3}(/\S{3,20})(?!\S)")
_LONGEST_LINE: Final = 200
# No other command has anything like a version behind its word.
_NUMBERED: Final = re.compile(r"[0-9]{1,5}\.[0-9]")


def is_candidate(body: str) -> bool:
    """Tell, cheaply, whether ``parse`` may return anything but None for this comment."""
    return addressed(body) is not None


def addressed(body: str) -> Verb | None:
    """Return, cheaply, whom a comment would address by its first word: OPEN (any ``/release``), FREEZE, UNFREEZE, or None."""
    match = _FIRST_WORD.match(body)
    form = _nearest(match[1]) if match else None
    return form.verb if form else None


def parse(body: str) -> Command | NotUnderstood | None:
    """Read a comment: a command of ours, a failed attempt at one, or None for everything else. Never raises.

    A command is the whole first line of an ordinary paragraph that opens the comment, so that quotes, code, HTML comments, headings and
    lists, which talk about commands, never give one.
    """
    if not is_candidate(body):
        return None
    line, *later = _paragraph_lines(body) or [""]
    if not line:
        return None
    if any(_split(other)[0] in _BY_HEAD for other in later):
        return _not(line, "This comment has more than one command, so I would have to guess which you mean: write one per comment.")
    return _read(line.replace("\t", " ").strip(" "))


def _nearest(word: str) -> Form | None:
    """Return the form whose first word this is or was meant to be."""
    near = get_close_matches(word.lower(), _BY_HEAD, n=1, cutoff=_LIKENESS)
    return _BY_HEAD[near[0]] if near else None


@cache
def _markdown() -> MarkdownIt:
    """Return a reader of block structure (https://spec.commonmark.org and GitHub's tables); what is within a block stays text."""
    return MarkdownIt("commonmark").enable("table").disable("inline")


def _paragraph_lines(body: str) -> list[str]:
    """Return the lines of all top-level paragraphs, or nothing where the first block is something else."""
    tokens = _markdown().parse(body)
    if tokens[0].type != "paragraph_open":
        return []
    contents = [inside.content for outside, inside in pairwise(tokens) if outside.type == "paragraph_open" and outside.level == 0]
    return "\n".join(contents).split("\n")


def _split(text: str) -> tuple[str, str]:
    """Return the first word and the rest. Only spaces and tabs part words: what merely looks like a space is refused, not guessed at."""
    word, _, rest = text.replace("\t", " ").strip(" ").partition(" ")
    return word, rest.strip(" ")


def _not(line: str, why: str, did_you_mean: str = "") -> NotUnderstood:
    return NotUnderstood(line=line[:_LONGEST_LINE], why=why, did_you_mean=did_you_mean)


def _read(line: str) -> Command | NotUnderstood:
    """Read one line whose first word is, or nearly is, ours."""
    strange = unseen(line) or next((space for space in line if space.isspace() and space != " "), "")
    if strange:
        return _not(line, f"The line contains the invisible character U+{ord(strange):04X}: type it again by hand.")
    head, rest = _split(line)
    if head not in _BY_HEAD:
        near = _nearest(head) or _OPENING
        return _not(line, f"{shown(head)} is not a command of mine.", _corrected(near, f"{near.words[0]} {rest}".rstrip(" ")))
    word, after = _split(rest)
    form = _FORMS.get((head, word))
    if form is not None:
        return _fill(form, line, after)
    if _BY_HEAD[head] is _OPENING and not word[:1].isdigit():
        return _fill(_OPENING_PACKAGE, line, rest) if _NUMBERED.match(after) else _unknown(line, word, after)
    return _fill(_BY_HEAD[head], line, rest)


def _corrected(form: Form, line: str) -> str:
    """Return the corrected line if it would be understood, otherwise how it is written."""
    return form.usage if isinstance(_read(line), NotUnderstood) else line


def _unknown(line: str, word: str, after: str) -> NotUnderstood:
    """Answer a ``/release`` that neither names a version nor says anything we know."""
    if not word:
        return _not(line, "`/release` needs a version, to start a release, or a word that says what to do.", _HELP)
    try:
        version = Version.parse(word.lower().removeprefix("v"))
    except VersionError:
        near = get_close_matches(word.lower(), _BY_WORD, n=1)
        advice = _corrected(_BY_WORD[near[0]], f"/release {near[0]} {after}".rstrip(" ")) if near else _HELP
        return _not(line, f"{shown(word)} is neither a version nor a command of mine.", advice)
    return _not(line, f"{shown(word)} is the name of a tag, but a release is started by its version.", f"/release {version}")


def _fill(form: Form, line: str, text: str) -> Command | NotUnderstood:
    """Make the command of the arguments that follow its words."""
    try:
        return form.make(**_arguments(form, text))
    except UserError as error:
        return _not(line, str(error), form.usage)


def _arguments(form: Form, text: str) -> dict[str, object]:
    """Return the fields of the command; raise UserError where the text is not what the usage line says."""
    found: dict[str, object] = {}

    def take(name: str, text: str) -> str:
        word, rest = (text, "") if name == REASON else _split(text)
        if not word:
            raise ArgumentError(f"{name} is missing: write `{form.usage}`.")
        found[ARGUMENTS[name].field] = ARGUMENTS[name].read(word)
        return rest

    for name in form.arguments:
        text = take(name, text)
    for option, name in form.options.items():
        if _split(text)[0] == option:
            text = take(name, _split(text)[1])
    for name in form.extra:
        if text:
            text = take(name, text)
    if text:
        raise ArgumentError(f"{shown(text)} is too much for this command: write `{form.usage}`, and anything else below that line.")
    return found


def help_text() -> str:
    """Return all commands as a Markdown table."""
    rows = [f"| `{form.usage}` | {form.does} | {form.who} |" for form in GRAMMAR]
    return "\n".join(["| write | in order to | who may |", "| --- | --- | --- |", *rows])
