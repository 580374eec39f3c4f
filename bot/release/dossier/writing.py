"""Write a dossier: the document, its bytes, its digest, and where it is. Pure."""

import hashlib
import json
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote, urlencode

from bot.journal import Document
from bot.release.dossier import made, rows, whole
from bot.release.dossier import persons as types
from bot.release.dossier.closing import before, closed, commands, decided, people, waited
from bot.release.model import Release, ReleaseState
from bot.release.scrubbing import scrubbed

FORMAT: Final = 2


def dossier(release: Release) -> Document:
    """Return everything that is known of a release, as a JSON object of the form of ``whole.Dossier``; the same release gives the same one.

    What looks like a secret is taken out, wherever it comes from. ``sha256sum`` of what ``written`` makes of it is its ``digest``.
    """
    document: Document = _plain(asdict(_whole(release)))
    return document


def written(document: Document) -> bytes:
    """Return a dossier exactly as it is served: canonical JSON as of RFC 8785, without a line's end.

    For what is in it that means: keys in order, no white space, UTF-8, and nothing escaped that need not be. There are no fractions in it,
    and all keys are ASCII (https://www.rfc-editor.org/rfc/rfc8785).
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(document: Document) -> str:
    """Return the SHA-256 of a dossier as it is served, in hexadecimal."""
    return hashlib.sha256(written(document)).hexdigest()


def path(release: Release, suffix: str = "") -> str:
    """Return where the page of a dossier is below the root of the site; with the suffix ``.json`` where the document itself is.

    One version may be released after others of it were aborted, so the address of an aborted release names that one.
    """
    address = f"/releases/{quote(release.project, safe='')}/{quote(str(release.version), safe='')}/dossier{suffix}"
    return f"{address}?{urlencode({'release': release.id})}" if release.state is ReleaseState.ABORTED else address


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    match value:
        case str():
            return scrubbed(value)
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def _whole(release: Release) -> whole.Dossier:
    end = closed(release)
    return whole.Dossier(
        format=FORMAT,
        release=release.id,
        project=release.project,
        repository=release.repository,
        issue=types.Issue(repository=release.home, number=release.issue),
        version=str(release.version),
        kind=release.kind.value,
        series=release.series,
        branch=release.branch,
        outcome=_outcome(release),
        why=(release.state_why or None) if release.state is ReleaseState.ABORTED else None,
        opened=rows.moment(release.opened),
        closed=rows.time(end),
        seconds=rows.seconds(release.opened, end),
        seconds_waited=waited(release),
        starter=rows.person(release.starter),
        manager=rows.person(release.manager) if release.manager else None,
        actors=rows.actors(release),
        commands=tuple(rows.command(said) for said in commands(release)),
        attempt=release.attempt,
        earlier_attempts=tuple(rows.attempt(one, release) for one in release.past),
        tag=rows.tag(release.tag, release) if release.tag else None,
        plan=tuple(made.Line(ref=line.ref, old=line.old, new=line.new) for line in release.plan),
        pushed=rows.time(release.pushed),
        checks=tuple(rows.check(one) for one in release.checked),
        **_said(release),
        runs=tuple(rows.run(one) for one in release.runs),
        builds=tuple(rows.build(one) for one in release.builds),
        publication=rows.publication(release.publication) if release.publication else None,
        files=rows.files(release),
        proofs=rows.proofs(release.proofs),
        roots=_roots(release),
        versions=_versions(release),
        steps=tuple(rows.step(state, release, end) for state in before(release)),
        people=tuple(rows.ask(act) for act in people(release)),
        journal=rows.journal(release.seal) if release.seal else None,
    )


def _outcome(release: Release) -> str:
    if release.state is ReleaseState.ABORTED:
        return "aborted"
    return "released" if release.pushed and closed(release) else "under way"


def _said(release: Release) -> dict[str, Any]:
    """Return what people decided, each with the comment in which they said so."""
    said = {name: tuple(rows.decision(one) for one in some) for name, some in decided(release).items()}
    return {**said, "go": next(iter(said["go"]), None)}


def _roots(release: Release) -> tuple[made.Root, ...]:
    used = {root for proved in release.proofs for root in proved.roots}
    return tuple(made.Root(name=name, sha256=sha256) for name, sha256 in sorted(used))


def _versions(release: Release) -> tuple[made.Version, ...]:
    took_part = {*(release.seal.versions if release.seal else ()), *(one for proved in release.proofs for one in proved.versions)}
    return tuple(made.Version(name=name, version=version) for name, version in sorted(took_part))
