"""Render the templates; they escape by filters made for Markdown, not for HTML."""

from datetime import timedelta
from functools import cache
from typing import assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.release.model import StepState, StepStatus
from bot.words import markdown


def render(template: str, **values: object) -> str:
    """Return a template filled in."""
    return _environment().get_template(template).render(**values)


def step_icon(step: StepState) -> str:
    """Return the sign of a step's state; the word stands beside it for those who cannot see it."""
    icons = {
        StepStatus.PENDING: "▫️",
        StepStatus.WAITING: "⏳",
        StepStatus.NEEDS_PERSON: "🙋",
        StepStatus.PASSED: "✅",
        StepStatus.FAILED: "❌",
        StepStatus.NOT_APPLICABLE: "➖",
    }
    return icons[step.status]


def step_colour(step: StepState) -> str:
    """Return the class of a step in the picture."""
    match step.status:
        case StepStatus.PASSED | StepStatus.NOT_APPLICABLE:
            return "done"
        case StepStatus.WAITING | StepStatus.NEEDS_PERSON:
            return "now"
        case StepStatus.FAILED:
            return "bad"
        case StepStatus.PENDING:
            return "later"
        case _:
            assert_never(step.status)


def took(step: StepState) -> str:
    """Return how long a finished step took; a running one shows since when instead, so that the text stands still."""
    if step.began is None or step.ended is None:
        return "–"
    return markdown.duration(max(step.ended - step.began, timedelta()))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.words", "md"),
        autoescape=False,  # noqa: S701 - the texts are Markdown, and the filters below escape for it
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        plain=markdown.plain,
        code=markdown.code,
        fenced=markdown.fenced,
        clock=markdown.clock,
        icon=step_icon,
        colour=step_colour,
        took=took,
        node=lambda name: name.replace("-", "_"),
    )
    return environment
