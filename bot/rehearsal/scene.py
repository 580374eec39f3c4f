"""What everybody who plays in a rehearsal shares: the world, what the bot wrote on the issue, and what people did."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from bot.rehearsal.publisher import files_of
from bot.rehearsal.release_files import ReleaseFiles
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.stage import UPSTREAM, Player, Stage
from bot.rehearsal.timeline import Act, Timeline
from bot.rehearsal.world import World

MARKER: Final = "<!-- brother-maynard release="
"""How the first line of each of the bot's comments about a release begins."""

_FENCED: Final = re.compile(r"^(`{3,})[^\n`]*\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
_SPAN: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_MENTIONS: Final = re.compile(r"@[A-Za-z0-9-]+(?: @[A-Za-z0-9-]+)*")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
"""Punctuation that must not format (https://spec.commonmark.org/0.31.2/#backslash-escapes)."""

_LONGEST: Final = 160


@dataclass
class Scene:
    """One issue, one release, and the people around it."""

    world: World
    stage: Stage
    timeline: Timeline
    issue: int = 0
    release: Mapping[str, object] | None = None
    """The release as the bot publishes it."""
    cut: Cut | None = None
    said: set[str] = field(default_factory=set)
    """The lines that the bot asked for and that were said."""
    acts: list[Act] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Why people would not do what the bot asked for."""

    @cached_property
    def files(self) -> ReleaseFiles:
        """Return the files that the builders make."""
        return files_of(self.stage, self.world)

    def act(self, who: Player, what: str, why: str, *, could_bot: bool) -> None:
        """Show that somebody does something now, and remember it."""
        act = Act(who=who.login, what=what, why=why, could_bot=could_bot)
        self.acts.append(act)
        self.timeline.event(act.who, what, f"because {why}")

    def say(self, who: Player, line: str, why: str) -> None:
        """Comment on the issue; no bot can decide in the place of a person."""
        self.said.add(line)
        self.act(who, f"comments “{line}”", why, could_bot=False)
        self.world.github.say(who.login, UPSTREAM, self.issue, line)

    def comments(self) -> list[str]:
        """Return what the bot has written about the release, oldest first."""
        return [body for body in self.all_comments() if body.startswith(MARKER)]

    def all_comments(self) -> list[str]:
        """Return everything that the bot has written on the issue."""
        bot = self.world.github.app.bot.login
        return [comment.body for comment in self.world.github.comments(UPSTREAM, self.issue) if comment.author.login == bot]

    def calls(self, who: Player) -> list[str]:
        """Return the comments by which the bot has called somebody."""
        return [body for body in self.comments() if re.search(rf"@{re.escape(who.login)}\b", body)]

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


def asked_lines(body: str) -> Iterator[str]:
    """Yield every line of a comment that is there to be pasted."""
    for _, block in _FENCED.findall(body):
        yield from (line.strip() for line in block.splitlines())
    yield from (span.strip() for span in _SPAN.findall(body))


def gist(body: str) -> str:
    """Return the first line of a comment that says something, after those whom it calls."""
    lines = [line.strip() for line in body.splitlines() if line.strip() and not line.startswith("<!--")]
    called = [lines.pop(0)] if len(lines) > 1 and _MENTIONS.fullmatch(lines[0]) else []
    text = _ESCAPED.sub(r"\1", ": ".join([*called, lines[0].lstrip("# ")])) if lines else ""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
