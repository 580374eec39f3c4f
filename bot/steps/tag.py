"""Watch the release manager's fork for the tag, and pin its object.

GitHub sends no event for tags when more than three arrive in one push, and none at all from a fork where the App is not installed
(https://docs.github.com/en/webhooks/webhook-events-and-payloads#push), so webhooks only hasten the next look: looking is the truth.
"""

import base64
from typing import Final

from bot.errors import Refused
from bot.profile import Person
from bot.release.facts import Tag, TagSeen
from bot.release.ids import CommitId, ObjectId, Repository, TagId, UserId, tag_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed
from bot.release.plan import lapsed_tags
from bot.release.version import Kind
from bot.tools import Tools, logins
from bot.verify.tag import MalformedTag, TagObject

LARGEST: Final = 64 * 1024
"""A tag object is a message and a signature; more bytes than this are none that a release manager made."""


async def advance(release: Release, tools: Tools) -> Outcome:
    """Find the one tag object that is to be released, or say whom it waits for."""
    if release.tag is not None and await tools.door.intended("push", "push"):
        # Its push may have landed already: from here on no other tag can take its place.
        return _passed(release.tag, tools)
    found, silent = await _find(release, tools)
    fresh = {tag: where for tag, where in found.items() if tag not in lapsed_tags(release)}
    if len(fresh) > 1:
        return _several(release, tools, fresh)
    if not fresh:
        return _none(release, tools, found, silent)
    [(tag, (fork, owner))] = fresh.items()
    if release.tag is not None and str(release.tag.object) == str(tag):
        # Everything is read from the fork where it was pinned, whoever else has it.
        return _passed(release.tag, tools) if fork == release.tag.fork else _none(release, tools, {}, silent)
    if release.tag is not None and release.go is not None:
        return _too_late(release.tag, tag, fork)
    return await _pin(release, tools, TagId(tag), fork, owner)


async def _find(release: Release, tools: Tools) -> tuple[dict[ObjectId, tuple[Repository, Person]], list[str]]:
    """Return the object that each fork's tag names now, and why forks could not be read.

    The fork where it was pinned speaks for an object that several have, else the first. One that is gone must not hide the tag in another.
    """
    ref = tag_ref(release.version.tag)
    found: dict[ObjectId, tuple[Repository, Person]] = {}
    silent = []
    for person in tools.managers(release):
        for fork in person.forks:
            try:
                refs = await tools.git.refs(Repository(fork), ref)
            except Refused as refusal:
                silent.append(str(refusal))
                continue
            if ref in refs:
                found.setdefault(refs[ref], (Repository(fork), person))
            if ref in refs and release.tag and (fork, str(refs[ref])) == (release.tag.fork, str(release.tag.object)):
                found[refs[ref]] = (Repository(fork), person)
    return found, silent


async def _pin(release: Release, tools: Tools, tag: TagId, fork: Repository, owner: Person) -> Outcome:
    await tools.git.fetch(fork, [ObjectId(tag)])
    kind = await tools.git.kind(ObjectId(tag))
    if kind != "tag":
        why = f"{release.version.tag} in {fork} is a lightweight tag: it names the {kind} {tag} itself, so nothing can be proved."
        advice = f"Make an annotated one: git tag -a {release.version.tag} -m '{release.version.tag_message}', and push it again."
        return Failed(why=why, diagnostics=(advice,), retryable=False, look_again=tools.poll())
    content = await tools.git.raw("tag", ObjectId(tag))
    try:
        parsed = TagObject.parse(content) if len(content) <= LARGEST else None
    except MalformedTag as malformed:
        return Failed(why=f"The tag object {tag} in {fork} is malformed: {malformed}", retryable=False, look_again=tools.poll())
    if parsed is None:
        return Failed(why=f"The tag object {tag} in {fork} is larger than {LARGEST} bytes.", retryable=False, look_again=tools.poll())
    pinned = Tag(
        object=tag,
        commit=CommitId(parsed.target),
        name=parsed.name,
        fork=fork,
        owner=UserId(owner.id),
        content=base64.b64encode(content).decode("ascii"),
        tagger=parsed.tagger,
        dated=parsed.dated,
    )
    return _passed(pinned, tools)


def _passed(tag: Tag, tools: Tools) -> Passed:
    return Passed(
        why=f"The tag object {tag.object} in {tag.fork} is pinned.",
        evidence=(
            Evidence(what="tag object", value=tag.object, url=tools.page(tag.fork, "releases", "tag", tag.name)),
            Evidence(what="commit", value=tag.commit, url=tools.page(tag.fork, "commit", tag.commit)),
            Evidence(what="fork", value=tag.fork, url=tools.page(tag.fork)),
        ),
        facts=(TagSeen(tag=tag),),
        look_again=tools.poll(),
    )


def _too_late(pinned: Tag, tag: ObjectId, fork: Repository) -> Failed:
    """Halt: files of the pinned tag may be public, so no other tag can take its place."""
    why = f"{pinned.name} in {fork} now is another object, {tag}, but the go was given for {pinned.object}, whose files may be public."
    advice = f"Push {pinned.object} to the fork again and resume, or recall the release: `/release abort REASON`, said by two persons."
    return Failed(why=why, diagnostics=(advice,), retryable=False, halt=True)


def _several(release: Release, tools: Tools, found: dict[ObjectId, tuple[Repository, Person]]) -> NeedsPerson:
    where = " and ".join(f"{tag} in {fork}" for tag, (fork, _) in found.items())
    return NeedsPerson(
        who=logins(tools.managers(release)),
        what=f"Different tags {release.version.tag} are in the forks ({where}); please delete all but the one to release.",
        look_again=tools.poll(),
    )


def _none(release: Release, tools: Tools, lapsed: dict[ObjectId, tuple[Repository, Person]], silent: list[str]) -> Outcome:
    if release.tag is not None:
        why = " ".join((f"The tag {release.version.tag} is no longer in {release.tag.fork}, where {release.tag.object} was.", *silent))
        why += "".join(f" {fork} has {tag} again, which belongs to an earlier attempt and has lapsed." for tag, (fork, _) in lapsed.items())
        advice = "Push the same tag object again, or a new one, which opens the next attempt."
        return Failed(why=why, diagnostics=(advice,), retryable=False, look_again=tools.poll())
    head = next((frozen.head for frozen in release.frozen if frozen.head), None)
    forks = " or ".join(fork for person in tools.managers(release) for fork in person.forks)
    what = _to_be_cut(release, head, forks) if release.kind is not Kind.END_OF_LIFE else _to_be_ended(release, head, forks)
    return NeedsPerson(who=logins(tools.managers(release)), what=" ".join((what, *silent)), look_again=tools.poll())


def _to_be_cut(release: Release, head: CommitId | None, forks: str) -> str:
    held = any(frozen.ref == tag_ref(release.version.tag) for frozen in release.frozen)
    refuses = "refuses it from anyone else" if held else "refuses the branch from anyone else, but cannot refuse the tag"
    return (
        f"Cut {release.version} from {release.branch} at {head}, then push the annotated tag {release.version.tag} to {forks}. "
        f"Stop run_release.py before it merges and pushes upstream: the bot does that, and the freeze {refuses}."
    )


def _to_be_ended(release: Release, head: CommitId | None, forks: str) -> str:
    """Ask for the tag that ends a series; a branch has its name, so only the full ref says which is meant."""
    tag = release.version.tag
    return (
        f"Sign the tag that ends {release.series}, at {head}, the last commit of its branch: `git tag -s -m 'Python {tag}' {tag} {head}`. "
        f"Push nothing but it to {forks}: `git push origin refs/tags/{tag}`. There is no release commit. The bot brings the tag upstream."
    )
