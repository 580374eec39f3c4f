"""Lay out how long the steps of a release took, as a picture that is as wide as the screen it is shown on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.journal import Document
from bot.web.telling import length

ROW: Final = 36
"""Pixels from one step to the next: a line of text, and the bar below it."""
NARROWEST: Final = 0.4
"""Percent of the width; what is shorter could not be seen."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """From where to where, in percent of the width."""

    left: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One step: ``top`` is in pixels, ``waits`` are the times of waiting for people.

    ``label`` says in a sentence all that its bar shows, ``caption`` as much of it as fits beside the bar on a phone.
    """

    top: int
    label: str
    caption: str
    span: Span
    waits: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The picture: ``height`` is in pixels, ``lapsed`` is where an attempt ended, in percent of the width."""

    bars: tuple[Bar, ...]
    lapsed: tuple[float, ...]
    height: int
    begin: str
    end: str


def timeline(document: Document) -> Timeline | None:
    """Return the picture of a dossier; None where nothing has begun."""
    steps = [step for step in document["steps"] if step["began"]]
    if not steps:
        return None
    begin, end = document["opened"], document["closed"] or _latest(document)
    scale = _Scale(begin=_moment(begin), end=_moment(end))
    asks = [ask for ask in document["people"] if ask["step"] != "open"]
    return Timeline(
        bars=tuple(_bar(index, step, asks, end, scale) for index, step in enumerate(steps)),
        lapsed=tuple(scale.percent(_moment(attempt["ended"])) for attempt in document["earlier_attempts"]),
        height=ROW * len(steps) + 26,
        begin=begin,
        end=end,
    )


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """Turns moments into percent of the width."""

    begin: datetime
    end: datetime

    def percent(self, moment: datetime) -> float:
        whole = (self.end - self.begin).total_seconds() or 1.0
        return round(min(100.0, max(0.0, 100 * (moment - self.begin).total_seconds() / whole)), 2)

    def span(self, since: str, until: str) -> Span:
        left = min(self.percent(_moment(since)), 100 - NARROWEST)
        return Span(left=round(left, 2), width=round(max(NARROWEST, self.percent(_moment(until)) - left), 2))


def _bar(index: int, step: Mapping[str, Any], asks: Sequence[Mapping[str, Any]], end: str, scale: _Scale) -> Bar:
    until = step["ended"] or end
    waits = [scale.span(ask["since"], ask["done"] or end) for ask in asks if ask["step"] == step["step"]]
    took, waited = length(step["seconds"]) or "not ended", length(step["seconds_waited"] or None)
    return Bar(
        top=ROW * index,
        label=f"{step['step']}: {step['state']}, " + (f"{took}, {waited} of it waiting for people" if waited else took),
        caption=" · ".join(filter(None, (step["step"], took, waited and f"{waited} for people"))),
        span=scale.span(step["began"], until),
        waits=tuple(waits),
    )


def _latest(document: Document) -> str:
    known = (moment for step in document["steps"] for moment in (step["began"], step["ended"]) if moment)
    asked = (moment for ask in document["people"] for moment in (ask["since"], ask["done"]) if moment)
    return str(max([document["opened"], *known, *asked], key=_moment))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
