"""Hand a step over to the people who do it with their own hands, and take their word for it.

They are told everything they need: tag, commit, fork and links. What they made is compared with what is published later.
"""

from datetime import datetime

from bot.authority import Role
from bot.profile.builders import HandStep
from bot.profile.types import StepName
from bot.release.facts import Build, Built, BuiltFile, Tag
from bot.release.model import Deferral, HandWork, Release
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed
from bot.tools import Tools, logins


async def advance(name: StepName, release: Release, tools: Tools) -> Outcome:
    """See whether the expert said that it is done, or somebody put it off; else ask for it."""
    return outcome(name, release, tools)


def outcome(name: StepName, release: Release, tools: Tools) -> Outcome:
    """Return where the step stands; everything that it rests on is in the release and the profile."""
    tag, work = release.tag, tools.profile.hand.get(name)
    if tag is None or work is None:
        return Failed(why=f"There is no tag yet, or the profile has no [hand.{name}].", retryable=True, look_again=tools.poll())
    links = _links(release, tag, work, tools)
    deferral = next((one for one in release.deferrals if one.name == name), None)
    if deferral is not None:
        return _deferred(deferral, work, links)
    done = next((one for one in release.hand_work if one.name == name), None)
    if done is not None:
        return _done(done, tag, work, release, links, tools)
    return _asked(name, tag, work, release, tools, links)


def _asked(name: StepName, tag: Tag, work: HandStep, release: Release, tools: Tools, links: tuple[Evidence, ...]) -> NeedsPerson:
    what = work.what.format(**tools.placeholders(release))
    # Not the runs: they become known one after the other, and everybody would be called anew for each.
    where = " ".join(f"{one.what}: {one.url}" for one in (*_places(tag, tools), *_needed(release, work)))
    say = f"/release done {name} SHA256" if work.file else f"/release done {name}"
    who = _whom(work.role, release, tools)
    if any(person.id for person in tools.profile.people_with(work.role)):
        return NeedsPerson(who=who, what=f"{what} {where}", say=say, evidence=links, look_again=tools.poll())
    nobody = (
        f"The profile knows the account number of nobody who could tell me that it is done: have it added, or go on without the files by "
        f"`/release defer {name} REASON`."
    )
    asked = tuple(dict.fromkeys((*who, *logins(tools.managers(release)))))
    return NeedsPerson(who=asked, what=f"{what} {where} {nobody}", say=say, evidence=links, look_again=tools.poll())


def _whom(role: Role, release: Release, tools: Tools) -> tuple[str, ...]:
    """Return whom the work is for: of the release managers only those of this release, or the others would be called every few hours."""
    managers = logins(tools.managers(release)) if role is Role.RELEASE_MANAGER else ()
    return managers or tools.experts(role)


def _done(done: HandWork, tag: Tag, work: HandStep, release: Release, links: tuple[Evidence, ...], tools: Tools) -> Passed:
    absent = tools.profile.stands_in(done.by.id, work.role)
    who = f"{done.by.login}, who stands in for {' and '.join(absent)}," if absent else done.by.login
    files = (BuiltFile(name=work.file.format(version=release.version), sha256=done.sha256),) if work.file else ()
    return Passed(
        why=f"{who} says that it is done for {tag.object}.",
        evidence=(*links, *(Evidence(what=file.name, value=f"sha256:{file.sha256}") for file in files)),
        facts=(Built(build=_build(done.name, tag, files, done.at)),),
    )


def _build(name: str, tag: Tag, files: tuple[BuiltFile, ...], at: datetime) -> Build:
    return Build(step=name, tag=tag.object, commit=tag.commit, files=files, url="", at=at)


def _deferred(deferral: Deferral, work: HandStep, links: tuple[Evidence, ...]) -> Passed:
    follows = "its files follow later" if work.file else "it follows later"
    why = f"{deferral.by.login} lets the release go on without it, {follows}: {deferral.reason}"
    return Passed(why=why, evidence=links)


def _places(tag: Tag, tools: Tools) -> tuple[Evidence, ...]:
    return (
        Evidence(what="commit", value=tag.commit, url=tools.page(tag.fork, "commit", tag.commit)),
        Evidence(what="tag", value=tag.object, url=tools.page(tag.fork, "releases", "tag", tag.name)),
    )


def _needed(release: Release, work: HandStep) -> tuple[Evidence, ...]:
    """Return the pages that the profile names, and the artifacts of the run that counts."""
    build = release.build(StepName.WINDOWS)
    pages = tuple(Evidence(what=what, value=url, url=url) for what, url in work.links.items())
    if not work.artifacts or build is None:
        return pages
    names = " and ".join(work.artifacts)
    # https://learn.microsoft.com/en-us/azure/devops/pipelines/artifacts/pipeline-artifacts
    return (Evidence(what=names, value=names, url=f"{build.url}&view=artifacts&type=publishedArtifacts"), *pages)


def _links(release: Release, tag: Tag, work: HandStep, tools: Tools) -> tuple[Evidence, ...]:
    runs = (run for run in release.runs if run.attempt == release.attempt)
    return (
        *_places(tag, tools),
        *_needed(release, work),
        *(Evidence(what=f"run of {run.step}", value=run.name, url=run.url) for run in runs),
    )
