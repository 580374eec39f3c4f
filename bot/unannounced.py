"""Notice version tags that no release announced: prove them where they appear, and raise an alarm for those upstream.

A tag in a fork is only a draft; it gets check runs where the App is installed there. A tag upstream that the bot did not push is an alarm:
either somebody released by hand, or something is very wrong.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot import lone_tag
from bot.context import Context
from bot.effects import Door, Nature
from bot.errors import Unavailable, UserError
from bot.journal import Json, Note, What
from bot.release.ids import IssueNumber, ObjectId, Repository
from bot.release.model import Release
from bot.release.version import Version, VersionError
from bot.services.github.shapes import RefTarget
from bot.state import load
from bot.store.claim import Claim
from bot.store.store import Store
from bot.words import alarms

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SeenTags:
    """The version tags of each repository as they were last seen, by repository and short name."""

    seen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


async def look(context: Context, claim: Claim, store: Store, before: SeenTags) -> SeenTags:
    """Compare the tags with those seen before and deal with what is new; the first look only takes note."""
    upstream = context.profile.project.repository
    releases = [load(work.state) for work in await store.works(context.profile.name) if work.state]
    now: dict[str, Mapping[str, str]] = {}
    for repository in dict.fromkeys((upstream, *(watched.repository for watched in context.profile.watched_forks()))):
        known = before.seen.get(repository)
        try:
            seen = await _compare(context, claim, releases, repository, known)
        except (Unavailable, UserError) as error:
            # One fork that is gone, or whose owner suspended the App, must not hide what happens elsewhere.
            log.warning("The tags of %s could not be looked at now: %s", repository, error)
            seen = known
        if seen is not None:
            now[repository] = seen
    return SeenTags(seen=now)


async def _compare(
    context: Context, claim: Claim, releases: list[Release], repository: Repository, known: Mapping[str, str] | None
) -> Mapping[str, str] | None:
    """Deal with the new tags of one repository and return all it has, or None for a fork in which the App is not installed."""
    alarm = repository == context.profile.project.repository
    if not alarm and await context.installations.on(repository) is None:
        return None
    tags = {target.ref.removeprefix("refs/tags/"): target for target in await _version_tags(context, repository)}
    for name, target in tags.items() if known is not None else ():
        was = known.get(name) if known else None
        if was != target.id and not _announced(releases, name, target.id, in_fork=not alarm):
            await _notice(context, claim, repository, name, target, moved_from=was, alarm=alarm)
    return {name: target.id for name, target in tags.items()}


async def _version_tags(context: Context, repository: Repository) -> list[RefTarget]:
    targets = await context.github.matching_refs(repository, "tags/v")
    return [target for target in targets if _version(target.ref.removeprefix("refs/tags/")) is not None]


def _version(tag: str) -> Version | None:
    try:
        return Version.parse(tag.removeprefix("v"))
    except VersionError:
        return None


def _announced(releases: list[Release], tag: str, target: str, *, in_fork: bool) -> bool:
    """Tell whether a release speaks of this tag: in a fork it is enough that it waits for one, upstream the object must be its own."""
    for release in releases:
        if release.version.tag != tag:
            continue
        if in_fork and not release.state.over:
            return True
        if any(line.ref == f"refs/tags/{tag}" and str(line.new) == target for line in release.plan):
            return True
    return False


async def _notice(
    context: Context, claim: Claim, repository: Repository, name: str, target: RefTarget, *, moved_from: str | None, alarm: bool
) -> None:
    details: Mapping[str, Json] = {"repository": repository, "tag": name, "object": target.id, "was": moved_from}
    await claim.note([Note(actor="bot", what=What.FACT, details={"what": "a version tag without a release", **details})])
    try:
        proof = await lone_tag.prove(context, claim, repository, name, ObjectId(target.id))
    except UserError as error:
        proof = [str(error)]
    if alarm:
        log.error("The tag %s (%s) appeared in %s without a release.", name, target.id, repository)
        await _raise_alarm(context, claim, repository, name, target.id, alarms.lone_tag(repository, name, target.id, moved_from, proof))


async def _raise_alarm(context: Context, claim: Claim, repository: Repository, name: str, target: str, body: str) -> None:
    home = context.profile.project.homes[0]
    title = alarms.lone_tag_title(repository, name)
    marker = alarms.marker(f"lone-tag-{name}-{target}")

    async def find() -> Mapping[str, Json] | None:
        for issue in await context.github.issues_by(home, f"{context.app.slug}[bot]"):
            if issue.body.startswith(marker):
                return {"issue": issue.number}
        return None

    async def do() -> Mapping[str, Json]:
        issue = await context.github.create_issue(home, title, f"{marker}\n{body}")
        return {"issue": IssueNumber(issue.number)}

    door = Door(claim, context.profile.name, 0, context.observers)
    await door("alarm", f"lone tag {name} {target}", nature=Nature.FINDABLE, parameters={"home": home}, find=find, do=do)
