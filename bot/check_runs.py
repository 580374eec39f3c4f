"""Post one check run for each step on the tag's commit, wherever that commit may carry them.

A check run needs a commit of its own repository: GitHub answers 422 for a commit that only a fork has. So they go to the fork if the App is
installed there, and upstream after the push. https://docs.github.com/en/rest/checks/runs#create-a-check-run
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never

from bot.context import Context
from bot.effects import Door, Nature
from bot.errors import Refused
from bot.journal import Json
from bot.release.ids import CommitId, Repository
from bot.release.model import Release, StepState, StepStatus
from bot.services.github.shapes import CheckRun, CheckRunDraft, CheckStatus, Conclusion
from bot.store.claim import Claim
from bot.words import checks as words

log: Final = logging.getLogger(__name__)

NAME: Final = "release / {step}"


async def post(context: Context, claim: Claim, release: Release) -> Release:
    """Post what has changed since the last time; return the release that remembers it.

    Where GitHub refuses a check run, the others of that repository wait for the next look; they are no part of what a release needs.
    """
    if release.tag is None:
        return release
    for repository in (release.tag.fork, *([release.repository] if release.pushed else [])):
        try:
            release = await _post_in(context, claim, release, repository, release.tag.commit)
        except Refused as refusal:
            log.warning("Of %s not every check run could be posted in %s: %s", release.id, repository, refusal)
    return release


async def _post_in(context: Context, claim: Claim, release: Release, repository: Repository, commit: CommitId) -> Release:
    if repository != release.repository and await context.installations.on(repository) is None:
        return release
    for step in release.steps:
        place = f"{repository} {release.attempt}:{step.name}:"
        posted = f"{place}{step.status}"
        # A step may come back to a status it had before, so only the latest says what people see now.
        latest = next((one for one in reversed(release.posted) if one.startswith(place)), None)
        if posted == latest or step.status is StepStatus.PENDING:
            continue
        await _post(context, claim, release, repository, commit, step)
        release = replace(release, posted=(*release.posted, posted))
    return release


async def _post(context: Context, claim: Claim, release: Release, repository: Repository, commit: CommitId, step: StepState) -> None:
    external_id = f"{release.id}:{release.attempt}:{step.name}"
    draft = CheckRunDraft(
        name=NAME.format(step=step.name),
        head=commit,
        external_id=external_id,
        status=_status(step.status),
        conclusion=_conclusion(step.status),
        title=words.title(step),
        summary=words.summary(release, step),
        text=words.text(release, step),
        annotations=words.annotations(release, step),
        details_url=f"{context.url}/releases/{release.project}/{release.version}" if context.url else "",
    )

    async def find() -> CheckRun | None:
        for run in await context.github.check_runs(repository, commit):
            if run.external_id == external_id and run.app_id == context.app.id:
                return run
        return None

    async def do() -> Mapping[str, Json]:
        run = await find()
        if run is None:
            return {"id": (await context.github.create_check_run(repository, draft)).id}
        await context.github.update_check_run(repository, run.id, draft, annotated=run.annotated)
        return {"id": run.id}

    # Looking before acting makes doing it twice the same as once, also of annotations, of which only those are sent that are not there.
    name = f"check {repository} {step.name} {step.status} {len(release.posted)}"
    door = Door(claim, release.id, release.attempt, context.observers)
    await door("report", name, nature=Nature.REPEATABLE, parameters={"repository": repository, "commit": commit}, do=do)


def _status(status: StepStatus) -> CheckStatus:
    match status:
        case StepStatus.PENDING:
            return CheckStatus.QUEUED
        case StepStatus.WAITING:
            return CheckStatus.IN_PROGRESS
        case StepStatus.NEEDS_PERSON | StepStatus.PASSED | StepStatus.FAILED | StepStatus.NOT_APPLICABLE:
            return CheckStatus.COMPLETED
        case _:
            assert_never(status)


def _conclusion(status: StepStatus) -> Conclusion | None:
    match status:
        case StepStatus.PASSED:
            return Conclusion.SUCCESS
        case StepStatus.FAILED:
            return Conclusion.FAILURE
        case StepStatus.NEEDS_PERSON:
            return Conclusion.ACTION_REQUIRED
        case StepStatus.NOT_APPLICABLE:
            return Conclusion.SKIPPED
        case StepStatus.PENDING | StepStatus.WAITING:
            return None
        case _:
            assert_never(status)
