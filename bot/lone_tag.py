"""Prove a version tag that belongs to no release, and post what was found as check runs on its commit."""

from collections.abc import Mapping

from bot import authenticity
from bot.context import Context
from bot.effects import Door, Nature
from bot.journal import Json
from bot.release.ids import CommitId, ObjectId, Repository
from bot.release.version import Version
from bot.services.github.shapes import CheckRunDraft, CheckStatus, Conclusion
from bot.store.claim import Claim
from bot.verify.tag import MalformedTag, TagObject
from bot.words.markdown import plain

CHECK = "release / tag"


async def prove(context: Context, claim: Claim, repository: Repository, name: str, target: ObjectId) -> list[str]:
    """Return what was found out about the tag, one sentence each; post it on the tag's commit."""
    await context.git.fetch(repository, [target])
    kind = await context.git.kind(target)
    if kind != "tag":
        sentence = f"It is a lightweight tag on the {kind} {target}, so nobody can be held to it."
        if kind == "commit":
            await _post(context, claim, repository, CommitId(target), target, sentence, good=False)
        return [sentence]
    raw = await context.git.raw("tag", target)
    try:
        parsed = TagObject.parse(raw)
    except MalformedTag as malformed:
        return [f"Its tag object is malformed: {malformed}"]
    series = context.profile.series_of(Version.parse(name.removeprefix("v")))
    verdict = await authenticity.verify_by(raw, name, context.profile.people, series.signature, context.profile.trust)
    sentence = verdict.why if not verdict.good else f"It is authentic: {verdict.why}"
    await _post(context, claim, repository, CommitId(parsed.target), target, sentence, good=verdict.good)
    return [f"It says that {parsed.tagger} made it.", sentence]


async def _post(
    context: Context, claim: Claim, repository: Repository, commit: CommitId, target: ObjectId, sentence: str, *, good: bool
) -> None:
    external_id = f"{context.profile.name}-lone-tag-{target}"
    draft = CheckRunDraft(
        name=CHECK,
        head=commit,
        external_id=external_id,
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.NEUTRAL if good else Conclusion.FAILURE,
        title="No release was started for this tag",
        summary=plain(f"No release was started for this tag. {sentence}", 2000),
    )

    async def find() -> Mapping[str, Json] | None:
        for run in await context.github.check_runs(repository, commit, name=CHECK):
            if run.external_id == external_id:
                return {"id": run.id}
        return None

    async def do() -> Mapping[str, Json]:
        return {"id": (await context.github.create_check_run(repository, draft)).id}

    door = Door(claim, context.profile.name, 0, context.observers)
    parameters: Mapping[str, Json] = {"repository": repository, "commit": commit}
    await door("report", f"check {repository} {target}", nature=Nature.FINDABLE, parameters=parameters, find=find, do=do)
