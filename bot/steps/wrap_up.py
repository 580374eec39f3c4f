"""Tidy up after a release that is upstream and thawed, and thank everybody.

1. The runs on Azure that made it are kept for ever; without a lease they vanish after 30 days.
2. The branch it was cut on is deleted in the manager's fork, where the App is installed there and the branch holds nothing else.
3. One comment thanks everybody who acted, and says where everything is, with the digest of the dossier.

None of that may hold a release open: what is refused for certain is left to people, who are told so. An outside system that is in trouble
is waited for.
"""

from collections.abc import Awaitable, Mapping
from typing import Final

from bot import keeping
from bot.desk import Voice
from bot.effects import Nature
from bot.errors import Refused, UserError, steady
from bot.journal import Json
from bot.profile_types import StepName
from bot.release import dossier
from bot.release.facts import Run, Tag
from bot.release.ids import CommitId, Ref, branch_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Outcome, Passed, Waiting
from bot.services.azure_devops.shapes import AzureRunId
from bot.tools import Tools
from bot.words import thanks

STEP: Final = "wrap-up"
ON_AZURE: Final = frozenset({StepName.WINDOWS, StepName.WINDOWS_PUBLISH})

LEFT: Final = "left as it is: "
"""How the words begin about what people have to do, or may want to."""


async def advance(release: Release, tools: Tools) -> Outcome:
    """Do all of it once, and end the release; its dossier has to be closed, for the last word holds its digest."""
    if dossier.closed(release) is None:
        why = "An answer to an order of an earlier attempt was lost; its run is looked for, so that the dossier can name it."
        return Waiting(on="the builders", why=why, look_again=tools.poll())
    tidied = (*await _keep_runs(release, tools), *await _delete_branch(release, tools))
    left = tuple(one for one in tidied if one.value.startswith(LEFT))
    said = await _thank(release, left, tools)
    digest = dossier.digest(dossier.dossier(release))
    book = Evidence(what="dossier", value=f"sha256:{digest}", url=_dossier_url(release, tools))
    why = f"Left to people: {' and '.join(one.what for one in left)}." if left else "Everything is tidied up."
    return Passed(why=why, evidence=(*tidied, *said, book))


async def _or_left(what: str, work: Awaitable[str], advice: str, url: str) -> Evidence:
    """Return what became of some work; a definite no ends in what a person can do, and Unavailable passes on."""
    try:
        return Evidence(what=what, value=await work, url=url)
    except UserError as error:
        return Evidence(what=what, value=f"{LEFT}{steady(str(error))} {advice}", url=url)


# --- runs on Azure


async def _keep_runs(release: Release, tools: Tools) -> tuple[Evidence, ...]:
    """Keep every run of this attempt, for whatever it was ordered."""
    if not tools.profile.wrap_up.retain:
        return ()
    runs = [run for run in release.runs if run.step in ON_AZURE and run.attempt == release.attempt]
    advice = "Whoever may do so can retain it on its page."
    return tuple([await _or_left(f"run {run.name}", _keep(run, release, tools), advice, run.url) for run in runs])


async def _keep(run: Run, release: Release, tools: Tools) -> str:
    seen = await tools.azure.run(AzureRunId(run.id))
    return f"kept for ever by the lease {await keeping.keep(STEP, seen, release, tools)}"


# --- the branch in the fork


async def _delete_branch(release: Release, tools: Tools) -> tuple[Evidence, ...]:
    pattern, tag = tools.profile.wrap_up.fork_branch, release.tag
    if not pattern or tag is None:
        return ()
    branch = pattern.format(**tools.placeholders(release))
    advice = f"{tag.fork.partition('/')[0]} can delete it."
    work = _delete(tag, branch_ref(branch), tools)
    return (await _or_left(f"branch {branch} in {tag.fork}", work, advice, tools.page(tag.fork, "branches")),)


async def _delete(tag: Tag, ref: Ref, tools: Tools) -> str:
    name = f"delete {ref}"
    tip = await _tip(tag, ref, tools)
    if tip is None and not await tools.door.intended(STEP, name):
        return "not there"
    if tip is not None:
        await _belongs(tag, tip, tools)
        if await tools.installations.on(tag.fork) is None:
            raise Refused("this App is not installed there.")

    async def gone() -> Mapping[str, Json] | None:
        return {"deleted": True} if await _tip(tag, ref, tools) is None else None

    async def delete() -> Mapping[str, Json]:
        # GitHub cannot be told what it must point to, so it is looked at in the last moment.
        target = await tools.github.ref(tag.fork, ref)
        if target is not None and str(target.id) != tip:
            raise Refused("it moves.")
        await tools.github.delete_ref(tag.fork, ref)
        return {"deleted": True}

    parameters: Mapping[str, Json] = {"repository": tag.fork, "ref": ref}
    await tools.door(STEP, name, nature=Nature.FINDABLE, parameters=parameters, find=gone, do=delete)
    return "deleted"


async def _tip(tag: Tag, ref: Ref, tools: Tools) -> CommitId | None:
    """Look as everybody can, because the App may not be installed there."""
    seen = (await tools.git.refs(tag.fork, ref)).get(ref)
    return CommitId(seen) if seen else None


async def _belongs(tag: Tag, tip: CommitId, tools: Tools) -> None:
    """Raise Refused for a branch that holds anything else than the release commit.

    The tools amend that commit once more after they tagged it, which gives the branch another id with the same tree and parents:
    https://github.com/python/release-tools/blob/main/run_release.py.
    """
    if tip == tag.commit:
        return
    await tools.git.fetch(tag.fork, [tag.object, tip])
    ours, theirs = await tools.git.commit(tag.commit), await tools.git.commit(tip)
    if (ours.tree, ours.parents) != (theirs.tree, theirs.parents):
        raise Refused(f"it is at {tip}, which is neither the commit of the tag nor the same once more.")


# --- thanks


async def _thank(release: Release, left: tuple[Evidence, ...], tools: Tools) -> tuple[Evidence, ...]:
    """Say the last word. Where nobody may speak any more, the release ends without it."""
    places = thanks.Places(
        release_page=await _release_page(release, tools),
        tag=tools.page(release.repository, "releases", "tag", release.version.tag),
        dossier=_dossier_url(release, tools),
    )
    person = tools.profile.person(release.tag.owner) if release.tag else None
    text = thanks.thanks(release, places, tagger=person.login if person else "", left=left)
    voice = Voice(app=tools.app, github=tools.github, home=release.home, issue=release.issue, door=tools.door)
    page = Evidence(what="release page", value=places.release_page, url=places.release_page)
    said = _said(voice, thanks.about(release), text)
    issue = tools.page(release.home, "issues", str(release.issue))
    last = await _or_left("thanks", said, "Please thank everybody yourself.", issue)
    return (*([page] if places.release_page else []), last)


async def _said(voice: Voice, about: str, text: str) -> str:
    return f"comment {await voice.say(about, text)}"


async def _release_page(release: Release, tools: Tools) -> str:
    """Return where the release is on python.org, empty for one that is not published there."""
    if not release.has_step(StepName.PUBLICATION):
        return ""
    try:
        found = await tools.python_org.release(release.version.tag_message)
    except UserError:
        return ""
    return thanks.release_page(found.slug) if found else ""


def _dossier_url(release: Release, tools: Tools) -> str:
    return f"{tools.url}{dossier.path(release)}" if tools.url else ""
