"""The one living status comment: where the release stands, why it waits, on whom, since when, and the next line to paste."""

from collections.abc import Sequence
from typing import Final, assert_never

from bot.release import dossier
from bot.release.course import StepSpec
from bot.release.gate import plan_digest, results_digest
from bot.release.ids import ReleaseId
from bot.release.model import HumanAct, Release, ReleaseState, StepStatus
from bot.release.signature import authenticated
from bot.words import markdown, templates

BY_HAND: Final = "/release done "
"""How the line begins that says that something is done by hand."""


def marker(release: ReleaseId) -> str:
    """Return the first line of every comment about a release, by which the bot finds its own comments again."""
    return f"<!-- brother-maynard release={release} -->"


def status(release: Release, specs: Sequence[StepSpec], about: str = "status", site: str = "") -> str:
    """Return the whole status comment; the same release gives the same text at any time of the day.

    ``about`` is what it is found by; ``site`` is where the bot's own pages are, empty where they are not public.
    """
    anchored = release.state.over and release.seal is not None
    text = templates.render(
        "status.md.j2",
        release=release,
        marker=marker(release.id),
        about=about,
        icon=_release_icon(release.state),
        headline=headline(release),
        waiting=[act for act in release.people if not act.done],
        arrows=[(need, spec.name) for spec in specs for need in spec.needs],
        plan_digest=plan_digest(release.tag.object, release.plan) if release.tag else "",
        results_digest=results_digest(release),
        authenticated=authenticated(release),
        dossier_digest=dossier.digest(dossier.dossier(release)) if anchored else "",
        dossier_page=f"{site}{dossier.path(release)}" if site else "",
        findings=[finding for checked in release.checked for finding in checked.findings],
    )
    return markdown.clipped(text)


def headline(release: Release) -> str:
    """Return one sentence that says where the release stands."""
    match release.state:
        case ReleaseState.DONE:
            return f"{release.version} is upstream: {_where(release)} at the approved ids, and nothing is frozen."
        case ReleaseState.ABORTED if release.go is not None:
            return f"{release.version} was recalled after its go. Nothing was pushed and nothing is frozen, but files of it may be public."
        case ReleaseState.ABORTED:
            return f"The release of {release.version} was aborted. Nothing was pushed, and nothing is frozen any more."
        case ReleaseState.ABORTING:
            return "The release is being aborted: its freeze is lifted, and nothing is pushed."
        case ReleaseState.HALTED:
            return "The release is halted and its freeze stays. `/release resume` lets it go on; `/release abort REASON` ends it."
        case ReleaseState.RUNNING:
            return _running(release)
        case _:
            assert_never(release.state)


def _where(release: Release) -> str:
    """Return what was pushed; a branch and a tag may have the same name."""
    refs = [ref.split("/", 2)[1:] for ref in (line.ref for line in release.plan)]
    names = [f"{'tag' if kind == 'tags' else 'branch'} {name}" for kind, name in refs]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "everything"
    return f"{listed} {'are' if len(names) > 1 else 'is'}"


def _running(release: Release) -> str:
    for step in release.steps:
        if step.status is StepStatus.FAILED:
            again = " It is looked at again." if step.retryable else ""
            return f"The step {step.name} failed: {step.why}{again}"
        if step.status is StepStatus.NEEDS_PERSON:
            return f"The step {step.name} waits for a person."
        if step.status is StepStatus.WAITING:
            return f"The step {step.name} waits for {', '.join(step.on)}: {step.why}"
    return "Everything is on its way."


def _release_icon(state: ReleaseState) -> str:
    match state:
        case ReleaseState.RUNNING:
            return "🚦"
        case ReleaseState.HALTED:
            return "🛑"
        case ReleaseState.ABORTING | ReleaseState.ABORTED:
            return "🗑️"
        case ReleaseState.DONE:
            return "✅"
        case _:
            assert_never(state)


def together(people: Sequence[HumanAct], due: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return which rows are told in one call: what the same people are to do with their own hands, each call in the order of the rows."""
    calls: dict[object, list[int]] = {}
    for index in due:
        act = people[index]
        by_hand = act.say.startswith(BY_HAND)
        calls.setdefault((act.who, act.told > 0) if by_hand else index, []).append(index)
    return tuple(tuple(rows) for rows in calls.values())


def call(release: Release, acts: Sequence[HumanAct], about: str) -> str:
    """Return the comment that calls the people who are waited for; nobody is mentioned anywhere else but in a checklist."""
    who = " ".join(f"@{login}" for login in acts[0].who)
    since = min(act.since for act in acts) if acts[0].told else None
    return templates.render("call.md.j2", marker=marker(release.id), about=about, who=who, acts=acts, since=since)
