"""Turn the parts of a release into the parts of its dossier. Pure.

Each is written out key by key, and none changes within a format: the digests that were published depend on every one of them.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import assert_never

from bot.release import model
from bot.release.dossier import made, whole
from bot.release.dossier import persons as types
from bot.release.dossier.closing import AFTERWARDS, Decided, commands, decisions, waited
from bot.release.facts import Build, Checked, Proved, Run, Tag
from bot.release.model import Release
from bot.release.published import FileRead, PublicationSeen
from bot.release.record import Said, Seal

VERBS = {
    model.Approval: "approve",
    model.Acknowledgement: "ack",
    model.Waiver: "waive",
    model.Go: "go",
    model.HandWork: "done",
    model.Deferral: "defer",
    model.Recall: "abort",
}
"""The words with which people decide."""


def moment(at: datetime) -> str:
    """Return a moment as the document has it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time(at: datetime | None) -> str | None:
    """Return a moment that may not have come."""
    return moment(at) if at else None


def seconds(start: datetime | None, end: datetime | None) -> int | None:
    """Return a length of time; nothing ends before it began, whatever the clocks say."""
    return max(0, round((end - start).total_seconds())) if start and end else None


# --- people


def person(actor: model.Actor) -> types.Person:
    """Return a person."""
    return types.Person(id=actor.id, login=actor.login)


def actors(release: Release) -> tuple[types.Actor, ...]:
    """Return everybody who acted, in the order of the numbers of their accounts, under the first login that they had."""
    logins: dict[int, str] = {}
    did: dict[int, dict[str, None]] = {}
    for id_, login, what in _deeds(release):
        logins.setdefault(id_, login)
        did.setdefault(id_, {}).setdefault(what)
    return tuple(types.Actor(id=id_, login=logins[id_], did=tuple(did[id_])) for id_ in sorted(logins))


def _deeds(release: Release) -> Iterator[tuple[int, str, str]]:
    yield release.starter.id, release.starter.login, "release"
    for tag in (*(attempt.tag for attempt in release.past), release.tag):
        if tag is not None:
            yield tag.owner, tag.fork.partition("/")[0], "tag"
    for one in decisions(release):
        yield one.by.id, one.by.login, VERBS[type(one)]
    for said in commands(release):
        yield said.by, said.login, said.verb


def command(said: Said) -> types.Command:
    """Return a command."""
    by = types.Person(id=said.by, login=said.login)
    return types.Command(verb=said.verb, by=by, comment=said.comment, said=moment(said.said), at=moment(said.at), what=said.what)


def decision(one: Decided) -> types.Decision:
    """Return a decision, as the type it is."""
    by, at, comment = person(one.by), moment(one.at), int(one.comment)
    match one:
        case model.Approval():
            return types.Approval(by=by, at=at, comment=comment, tag=one.tag, plan=one.plan)
        case model.Acknowledgement():
            return types.Acknowledgement(by=by, at=at, comment=comment, findings=one.digest)
        case model.Waiver():
            return types.Waiver(by=by, at=at, comment=comment, check=one.check, sha=one.sha, findings=one.digest, reason=one.reason)
        case model.Go():
            return types.Go(by=by, at=at, comment=comment, tag=one.tag, results=one.results)
        case model.HandWork():
            return types.HandWork(by=by, at=at, comment=comment, step=one.name, tag=one.tag, sha256=one.sha256 or None)
        case model.Deferral():
            return types.Deferral(by=by, at=at, comment=comment, step=one.name, tag=one.tag, reason=one.reason)
        case model.Recall():
            return types.Recall(by=by, at=at, comment=comment, reason=one.reason)
        case _:
            assert_never(one)


def ask(act: model.HumanAct) -> types.Ask:
    """Return something that people were asked for."""
    took = seconds(act.since, act.done)
    return types.Ask(step=act.step, who=act.who, what=act.what, since=moment(act.since), done=time(act.done), seconds=took)


# --- checks and steps


def tag(one: Tag, release: Release) -> made.Tag:
    """Return a tag of this or an earlier attempt."""
    approved = any(approval.tag == one.object for approval in release.approvals)
    typed = approved or any(said.verb == "approve" and one.object in said.what for said in release.commands)
    return made.Tag(
        object=one.object,
        commit=one.commit,
        name=one.name,
        fork=one.fork,
        owner=one.owner,
        content=one.content,
        signature=one.signature.value,
        signer=one.signer or None,
        vouched=one.signer or ("unsigned: typed SHA" if typed else "nobody"),
        tagger=one.tagger or None,
        dated=time(one.dated),
    )


def check(checked: Checked) -> whole.Check:
    """Return what a check found."""
    findings = tuple(
        whole.Finding(
            check=finding.check,
            rule=finding.rule,
            word=finding.severity.value,
            what=finding.what,
            count=finding.count,
            subjects=finding.subject,
            places=tuple(whole.Place(**vars(place)) for place in finding.places),
        )
        for finding in checked.findings
    )
    return whole.Check(step=checked.step, subject=checked.subject, findings=findings)


def step(state: model.StepState, release: Release, until: datetime | None) -> whole.Step:
    """Return a step as it stood ``until`` then, None for one under way."""
    waiting = waited(release, state.name, state.began, state.ended or until) if state.began else 0
    return whole.Step(
        step=state.name,
        state=state.status.value,
        why=state.why,
        began=time(state.began),
        ended=time(state.ended),
        seconds=seconds(state.began, state.ended),
        seconds_waited=waiting,
        evidence=tuple(whole.Evidence(what=one.what, value=one.value, url=one.url or None) for one in state.evidence),
        diagnostics=state.diagnostics,
    )


def attempt(lapsed: model.Attempt, release: Release) -> whole.Attempt:
    """Return an attempt that lapsed."""
    return whole.Attempt(
        attempt=lapsed.number,
        why=lapsed.why,
        ended=moment(lapsed.ended),
        tag=tag(lapsed.tag, release) if lapsed.tag else None,
        head=lapsed.head,
        steps=tuple(step(state, release, lapsed.ended) for state in lapsed.steps if state.name != AFTERWARDS),
    )


# --- what was made, published and proved


def run(one: Run) -> made.Run:
    """Return a run, but not whether it is over: one of an attempt that lapsed may end at any time."""
    return made.Run(
        step=one.step,
        purpose=one.purpose,
        number=one.number,
        attempt=one.attempt,
        id=one.id,
        name=one.name,
        url=one.url,
        ordered=tuple(made.Input(name=name, value=value) for name, value in one.ordered),
        result=one.result or None,
        certificate=one.certificate or None,
        at=moment(one.at),
    )


def build(one: Build) -> made.Build:
    """Return what a step made."""
    files = tuple(made.BuiltFile(name=file.name, sha256=file.sha256, size=file.size) for file in one.files)
    return made.Build(step=one.step, tag=one.tag, commit=one.commit, files=files, url=one.url or None, at=moment(one.at))


def publication(seen: PublicationSeen) -> made.Publication:
    """Return the publication."""
    return made.Publication(rows=seen.rows, first=moment(seen.first), again=time(seen.again), right=seen.right, content=seen.content)


def files(release: Release) -> tuple[made.File, ...]:
    """Return every file by its name, with everything that anybody said of it."""
    seen = release.publication
    reads = (*seen.earlier, *seen.files) if seen else ()
    stated = {one.url: made.Stated(size=one.size, md5=one.md5 or None, sha256=one.sha256 or None) for one in (seen.stated if seen else ())}
    urls = sorted({*stated, *(one.url for one in reads)}, key=lambda url: (_name(url), url))
    built = [(file.name, _made(one, file.sha256, file.size, release)) for one in release.builds for file in one.files]
    public = {_name(url) for url in urls}
    return (
        *(
            made.File(
                name=_name(url),
                url=url,
                made=tuple(one for name, one in built if name == _name(url)),
                stated=stated.get(url),
                read=tuple(_read(one) for one in reads if one.url == url),
            )
            for url in urls
        ),
        *_not_public((name, one) for name, one in built if name not in public),
    )


def _not_public(built: Iterable[tuple[str, made.Made]]) -> Iterator[made.File]:
    by_name: dict[str, list[made.Made]] = {}
    for name, one in built:
        by_name.setdefault(name, []).append(one)
    for name in sorted(by_name):
        yield made.File(name=name, url=None, made=tuple(by_name[name]), stated=None, read=())


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _made(one: Build, sha256: str, size: int | None, release: Release) -> made.Made:
    expert = next((person(work.by) for work in release.hand_work if work.name == one.step), None)
    return made.Made(step=one.step, by=expert, sha256=sha256, size=size, at=moment(one.at))


def _read(one: FileRead) -> made.Read:
    read = bool(one.sha256)
    return made.Read(
        at=moment(one.at),
        ended=one.ended.value,
        size=one.size if read else None,
        md5=one.md5 or None,
        sha256=one.sha256 or None,
        why=one.why or None,
    )


def proofs(proved: Iterable[Proved]) -> tuple[made.Proof, ...]:
    """Return how all proofs ended."""
    return tuple(
        made.Proof(
            step=one.step,
            at=moment(one.at),
            subject=row.subject,
            proof=row.proof,
            verdict=row.verdict,
            why=row.why,
            signer=row.signer or None,
            diagnostics=row.diagnostics,
        )
        for one in proved
        for row in one.results
    )


def journal(seal: Seal) -> whole.Journal:
    """Return where the journal ended."""
    return whole.Journal(at=moment(seal.at), sequence=seal.sequence, hash=seal.hash)
