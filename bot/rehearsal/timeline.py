"""Show a rehearsal while it happens: as a table for people, or as one JSON object per line for programs."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.rehearsal.calls import Calls

_WIDTH = 80
_TIME_WIDTH = 8
_WHO_WIDTH = 20
_COULD_WIDTH = 24

PROMPTS_TODAY = 33
"""How often the scripts ask: https://github.com/python/release-tools/blob/main/run_release.py and ``release.py`` beside it."""
ACTIONS_TODAY = 62
"""What https://peps.python.org/pep-0101/ has to be done by hand for ordinary releases of all kinds together."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that a person did, and whether a bot could have done it instead; ``why`` it is done, or why only by a person."""

    who: str
    what: str
    why: str
    could_bot: bool
    row: str = ""
    """Words of the row by which the bot asked for it; empty where any row of that person will do."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is wrong with the world after the rehearsal; nothing, when it went well."""

    problems: tuple[str, ...]
    seconds: float
    calls: tuple[Calls, ...] = ()
    """What the release asked of the outside systems."""

    @property
    def good(self) -> bool:
        """Tell whether the release went upstream and left nothing behind."""
        return not self.problems


class Timeline:
    """What every way of showing has in common: a clock that starts at zero."""

    def __init__(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    def seconds(self) -> float:
        """Tell how long the rehearsal has been running."""
        return time.monotonic() - self._began

    def event(self, who: str, what: str, why: str = "") -> None:
        """Show that something happened, and the reason or the details."""
        raise NotImplementedError

    def waiting(self, what: str) -> None:
        """Show that nothing happens, and what is waited for."""
        raise NotImplementedError

    def people(self, what: str, acts: Sequence[Act], release: Mapping[str, object] | None, *, of_python: bool = True) -> None:
        """Show everything that people had to do for a release, and how much that is; for one ``of_python`` beside what it is today."""
        raise NotImplementedError

    def verdict(self, verdict: Verdict) -> None:
        """Show how it went."""
        raise NotImplementedError

    def end(self, acts: Sequence[Act], release: Mapping[str, object] | None, verdict: Verdict) -> None:
        """Show everything that people had to do, and the verdict."""
        self.people(str(release.get("version", "")) if release else "", acts, release)
        self.verdict(verdict)


class TimelineForPeople(Timeline):
    """At most 80 columns wide; colours only where the terminal has them and ``NO_COLOR`` is not set (https://no-color.org)."""

    def __init__(self, stream: TextIO) -> None:
        """Write to the stream."""
        super().__init__()
        self._console = Console(file=stream, highlight=False, soft_wrap=False)
        self._console.width = min(_WIDTH, self._console.width)

    def event(self, who: str, what: str, why: str = "") -> None:
        """Print a row, and the rest below it."""
        self._row(who, Text(what))
        if why:
            self._row("", Text(why, style="dim"))

    def waiting(self, what: str) -> None:
        """Print a row that says what is waited for."""
        self._row("", Text(f"still waiting for {what}", style="yellow"))

    def people(self, what: str, acts: Sequence[Act], release: Mapping[str, object] | None, *, of_python: bool = True) -> None:
        """Print one row for each human act, and their number."""
        del release
        title = f"What people had to do for {what}" if what else "What people had to do"
        table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", width=self._console.width, pad_edge=False)
        table.add_column("who", max_width=_WHO_WIDTH, overflow="fold")
        table.add_column("what", ratio=1, overflow="fold")
        table.add_column("could the bot?", width=_COULD_WIDTH)
        for act in acts:
            table.add_row(Text(act.who), Text(act.what), Text("yes" if act.could_bot else f"no: {act.why}"))
        self._console.print()
        self._console.print(table)
        number = "1 human act" if len(acts) == 1 else f"{len(acts)} human acts"
        today = f" (today: {PROMPTS_TODAY} prompts of the scripts and {ACTIONS_TODAY} manual actions)" if of_python else ""
        self._console.print(Text(f"{number}{today}."))

    def verdict(self, verdict: Verdict) -> None:
        """Print what was asked of each system, and how it went."""
        for one in verdict.calls:
            self._console.print(Text(f"{one.system} was asked {one.reads + one.writes} times: {one.reads} reads and {one.writes} writes."))
        if verdict.good:
            self._console.print(Text(f"It went well, in {verdict.seconds:.1f} s.", style="bold green"))
            return
        self._console.print(Text("It did not go well:", style="bold red"))
        for problem in verdict.problems:
            self._console.print(Text(f"- {problem}"), soft_wrap=False)

    def _row(self, who: str, what: Text) -> None:
        row = Table.grid(padding=(0, 1))
        row.add_column(width=_TIME_WIDTH, justify="right")
        row.add_column(width=_WHO_WIDTH, overflow="fold")
        row.add_column(ratio=1, overflow="fold")
        row.expand = True
        row.add_row(Text(f"{self.seconds():.2f} s" if who else ""), Text(who, style="cyan"), what)
        self._console.print(row)


class TimelineForPrograms(Timeline):
    """One JSON object per line, each with a ``type``: event, waiting, act, acts (their number), release, calls, verdict."""

    def __init__(self, stream: TextIO) -> None:
        """Write to the stream."""
        super().__init__()
        self._stream = stream

    def event(self, who: str, what: str, why: str = "") -> None:
        """Write an event."""
        self._write("event", {"seconds": round(self.seconds(), 3), "who": who, "what": what} | ({"why": why} if why else {}))

    def waiting(self, what: str) -> None:
        """Write what is waited for."""
        self._write("waiting", {"seconds": round(self.seconds(), 3), "for": what})

    def people(self, what: str, acts: Sequence[Act], release: Mapping[str, object] | None, *, of_python: bool = True) -> None:
        """Write every human act, their number, and the release as the bot publishes it."""
        for act in acts:
            self._write("act", {"for": what, **asdict(act)})
        today = {"prompts_today": PROMPTS_TODAY, "manual_actions_today": ACTIONS_TODAY} if of_python else {}
        self._write("acts", {"for": what, "number": len(acts), **today})
        if release is not None:
            self._write("release", {"release": dict(release)})

    def verdict(self, verdict: Verdict) -> None:
        """Write what was asked of each system, and how it went."""
        for one in verdict.calls:
            self._write("calls", asdict(one))
        self._write("verdict", {"good": verdict.good, "problems": list(verdict.problems), "seconds": round(verdict.seconds, 3)})

    def _write(self, kind: str, content: Mapping[str, object]) -> None:
        self._stream.write(json.dumps({"type": kind, **content}, ensure_ascii=False) + "\n")
        self._stream.flush()


_ACTOR = re.compile(r" by (?P<who>[A-Za-z0-9-]+(?:\[bot\])?)(?=:|$)")
_EDITED = re.compile(r" comment \d+ edited by ")
_SKIPPED = re.compile(r" job .+ skipped$")
_BOT_COMMENT = re.compile(r"github: (?P<where>\S+) comment by (?P<who>\S+\[bot\]): (?P<text>.*)", re.DOTALL)


def retold(sentence: str) -> tuple[str, str] | None:
    """Turn a line of the world's log into who and what; None for what would only be noise in a timeline."""
    if _EDITED.search(sentence) or _SKIPPED.search(sentence):
        return None
    if bot := _BOT_COMMENT.fullmatch(sentence):
        return bot["who"], f"comments on {bot['where']}: {bot['text']}"
    match = _ACTOR.search(sentence)
    if match is None:
        system, _, what = sentence.partition(": ")
        return system, what
    return match["who"], sentence.removeprefix("github: ").replace(match[0], "", 1)
