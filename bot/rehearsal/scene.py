"""What everybody who plays in a rehearsal shares: the world, what the bot wrote on the issue, and what people did."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

from bot.rehearsal.publisher import files_of
from bot.rehearsal.release_files import ReleaseFiles
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.stage import UPSTREAM, Stage
from bot.rehearsal.timeline import Act, Timeline
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World

MARKER: Final = "<!-- brother-maynard release="
"""How the first line of each of the bot's comments about a release begins."""

OVER: Final = frozenset({"done", "aborted"})
"""The states in which nothing will happen any more."""

_FENCED: Final = re.compile(r"^(`{3,})[^\n`]*\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
_SPAN: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_MENTIONS: Final = re.compile(r"@[A-Za-z0-9-]+(?: @[A-Za-z0-9-]+)*")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
"""Punctuation that must not format (https://spec.commonmark.org/0.31.2/#backslash-escapes)."""

_START: Final = "Start the release."

_LONGEST: Final = 160


class Named(Protocol):
    """Somebody who plays."""

    @property
    def login(self) -> str:
        """Give the name under which they are known on GitHub."""


@dataclass(kw_only=True)
class Talk:
    """One issue, one release, and what is said and done there, whatever is released."""

    world: World
    timeline: Timeline
    upstream: str = UPSTREAM
    issue: int = 0
    release: Mapping[str, object] | None = None
    """The release as the bot publishes it."""
    said: set[str] = field(default_factory=set)
    """The lines that the bot asked for and that were said."""
    acts: list[Act] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Why people would not do what the bot asked for."""
    needless: set[str] = field(default_factory=set)
    """What the bot handed to people that this very release does not need, in its words."""
    marks: list[int] = field(default_factory=list)
    """For each act, how many lines the log of the world had before it."""

    @property
    def people(self) -> frozenset[str]:
        """Return the logins of everybody who takes part."""
        raise NotImplementedError

    def act(self, who: Named, what: str, why: str, *, could_bot: bool, row: str = "") -> None:
        """Show that somebody does something now, and remember it; ``row`` is what the bot's row for it has to say."""
        act = Act(who=who.login, what=what, why=why, could_bot=could_bot, row=row)
        self.acts.append(act)
        self.marks.append(len(self.world.log))
        self.timeline.event(act.who, what, f"because {why}")

    def say(self, who: Named, line: str, why: str) -> None:
        """Comment on the issue; no bot can decide in the place of a person."""
        self.said.add(line)
        self.act(who, f"comments “{line}”", why, could_bot=False)
        self.world.github.say(who.login, self.upstream, self.issue, line)

    def comments(self) -> list[str]:
        """Return what the bot has written about the release, oldest first."""
        return [body for body in self.all_comments() if body.startswith(MARKER)]

    def all_comments(self) -> list[str]:
        """Return everything that the bot has written on the issue."""
        bot = self.world.github.app.bot.login
        if not self.issue:
            return []
        return [comment.body for comment in self.world.github.comments(self.upstream, self.issue) if comment.author.login == bot]

    def calls(self, who: Named) -> list[str]:
        """Return the comments by which the bot has called somebody."""
        return [body for body in self.comments() if re.search(rf"@{re.escape(who.login)}\b", body)]

    def handed(self) -> list[str]:
        """Return what the bot has handed over to people without waiting for it: its row was done when it began, as that of the start."""
        rows = self.release.get("people") if self.release else None
        known = (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
        return [str(row["what"]) for row in known if row.get("since") == row["done"] and row["what"] != _START]

    @property
    def over(self) -> bool:
        """Tell whether nothing will happen to the release any more."""
        return self.release is not None and self.release.get("state") in OVER

    def steps(self) -> list[Mapping[str, object]]:
        """Return the steps of the release, as the bot publishes them."""
        steps = self.release.get("steps") if self.release else None
        return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []

    def awaited(self) -> str:
        """Say what the release waits for."""
        for step in self.steps():
            if step["state"] not in ("passed", "not applicable"):
                return f"the step {step['name']} ({step['state']}): {step.get('why') or 'not looked at yet'}"
        return "the bot to take up the release"


@dataclass(kw_only=True)
class Scene(Talk):
    """The release of a version of Python, and the people around it."""

    stage: Stage
    beside: tuple[PythonVersion, ...] = ()
    """What else is released in the same world."""
    cut: Cut | None = None

    @property
    def people(self) -> frozenset[str]:
        """Return the logins of everybody who takes part."""
        return frozenset(player.login for player in (self.stage.manager, self.stage.windows_expert, self.stage.macos_expert))

    @cached_property
    def files(self) -> ReleaseFiles:
        """Return the files that the builders make."""
        return files_of(self.stage, self.world)


def asked_lines(body: str) -> Iterator[str]:
    """Yield every line of a comment that is there to be pasted."""
    for _, block in _FENCED.findall(body):
        yield from (line.strip() for line in block.splitlines())
    yield from (span.strip() for span in _SPAN.findall(body))


def plain(text: str) -> str:
    """Return a text of the bot without what keeps its punctuation from formatting."""
    return _ESCAPED.sub(r"\1", text)


def gist(body: str) -> str:
    """Return the first line of a comment that says something, after those whom it calls."""
    lines = [line.strip() for line in body.splitlines() if line.strip() and not line.startswith("<!--")]
    called = [lines.pop(0)] if len(lines) > 1 and _MENTIONS.fullmatch(lines[0]) else []
    text = plain(": ".join([*called, lines[0].lstrip("# ")])) if lines else ""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
