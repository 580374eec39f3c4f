"""Prove what python.org hands out of a release, by the same code as ``python -m bot verify``, and say it in the release's own words.

What is listed, how large it is and what it hashes to is for ``bot.publication``; here it is signatures, contents, and the tie to the tag.
"""

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from bot import elsewhere, publishing, sealing
from bot.errors import Unavailable
from bot.profile import Profile
from bot.profile.types import StepName
from bot.publication import FileGroup, Problem, Rule, findings_of
from bot.publishing import Listed
from bot.release.facts import Build, Finding, Proved, Severity, Tag
from bot.release.model import Release
from bot.services.git import EMPTY_TREE
from bot.shelf import Shelf
from bot.tools import Tools
from bot.verify.download import index_of
from bot.verify.git_objects import Revision, TreeEntry
from bot.verify.git_tree import ATTRIBUTES, GitTree
from bot.verify.material import Choice, from_directory, tells_of_manifest
from bot.verify.metadata import Stated
from bot.verify.openpgp import OpenPGP
from bot.verify.programs import version_of
from bot.verify.release import verify_release
from bot.verify.release_policy import Builder, ReleasePolicy
from bot.verify.report import Report
from bot.verify.result import NotProven, ProofName, Result, Unusable
from bot.verify.source_tree import ExportRules, SourceTree
from bot.verify_policy import keyring_of, release_policy, roots_of

_RULES: Final[Mapping[ProofName, Rule]] = {
    ProofName.OPENPGP: Rule.OPENPGP,
    ProofName.SIGSTORE: Rule.SIGSTORE,
    ProofName.AUTHENTICODE: Rule.AUTHENTICODE,
    ProofName.SBOM: Rule.SBOM,
    ProofName.ARCHIVE: Rule.ARCHIVE,
    ProofName.SAME_TAR: Rule.SAME_TAR,
    ProofName.SOURCE_TREE: Rule.SOURCE_TREE,
    ProofName.INSTALL_MANAGER: Rule.INSTALL_MANAGER,
}
"""What holds the release when a proof fails; the proofs that are missing here are found by ``bot.publication``, in its own words."""

_SAME: Final[Mapping[ProofName, Collection[Rule]]] = {
    ProofName.LISTED: (
        *(Rule.PUBLISHED, Rule.PRE_RELEASE, Rule.LATEST, Rule.ROW, Rule.MISSING, Rule.UNKNOWN, Rule.LISTED_TWICE),
        *(Rule.FILE_DATA, Rule.COMPANION),
    ),
    ProofName.BYTES: (Rule.NOT_READ, Rule.NOT_SERVED, Rule.SIZE, Rule.HASH, Rule.NO_HASH, Rule.NO_SHA256),
    ProofName.BUILDER: (Rule.BUILDER_HASH,),
}
"""By which rules ``bot.publication`` finds the same as such a proof, in its own words."""

_FIRST: Final = re.compile(r"`(?:[^`]*/)?([^`/]*)`.*", re.DOTALL)
"""A line about a file, of which the last part of its address is left."""

_TOLD: Final = 10
"""How many diagnostics of each proof are remembered."""


def policy_of(release: Release, profile: Profile) -> ReleasePolicy:
    """Return what the release has to satisfy; raise UserError where keys or roots that the profile names cannot be used.

    This blocks for as long as it takes to read them.
    """
    keyring = keyring_of(profile, None)
    policy = release_policy(profile, release.version, release.kind, keyring)
    # When a signature says it was made is its maker's own word, so what is made now must not rest on a key that has expired.
    openpgp = OpenPGP(keyring, expired_keys=False) if keyring else None
    return replace(policy, expected=publishing.expected(release, profile), openpgp=openpgp)


async def prove(release: Release, tag: Tag, listed: Listed, shelf: Shelf, tools: Tools) -> Report:
    """Prove everything that lies on the shelf; raise UserError where keys, roots or programs are missing, and Unavailable."""
    policy = await asyncio.to_thread(policy_of, release, tools.profile)
    wants_tree = any(file.group is FileGroup.SOURCE for file in policy.expected)
    tree, troubles = await source_tree(release, tag, tools) if wants_tree else (None, ())
    stated = Stated(files=listed.files, companions=True)
    material = await asyncio.to_thread(from_directory, shelf.folder, stated, Choice(), listed.release, asked_site=True)
    index = await _index(listed, shelf, tools)
    # The step asks elsewhere at times of its own.
    material = replace(material, elsewhere=troubles, index=index)
    told = [Builder(name=build.step, sha256=_told_by(build)) for build in release.builds]
    # That nobody told anything is found by ``bot.publication``.
    builders = told or [Builder(name="nobody", sha256={})]
    return await asyncio.to_thread(verify_release, material, policy, source_tree=tree, builders=builders)


def _told_by(build: Build) -> Mapping[str, str]:
    return {file.name: file.sha256.strip().lower() for file in build.files}


def findings(report: Report, known: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what no release may rest on, as far as it is not among what is ``known`` of list and bytes."""
    bad = [one for one in report.bad if one.proof in _RULES or not _is_told(one, report, known)]
    return findings_of(
        [
            *(Problem(rule=_RULES.get(one.proof, Rule.NOT_PROVED), what=_in_words(one)) for one in bad),
            *(Problem(rule=Rule.NOT_ASKED, what=sentence) for sentence in report.not_asked),
        ]
    )


def _is_told(result: Result, report: Report, known: Sequence[Finding]) -> bool:
    """Tell whether list and bytes hold the same against the same file: what is said of another one lets nothing of this one pass."""
    rules = _SAME.get(result.proof, ())
    lines = [line for one in known if one.rule in rules and one.severity is not Severity.EXPLAINED for line in one.subject]
    if result.proof is ProofName.LISTED:
        return any(result.subject in line for line in lines)
    # Of two files with one name nobody can tell which is meant.
    alike = sum((one.proof, one.subject) == (ProofName.BYTES, result.subject) for one in report.results)
    return alike <= 1 and any(_FIRST.sub(r"\1", line) == result.subject for line in lines)


def without(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return those findings that are neither of proofs nor of other places: those need no second look at bytes that did not change."""
    elsewhere_or_proved = {*_RULES.values(), Rule.NOT_PROVED, Rule.NOT_ASKED, *elsewhere.RULES}
    return tuple(finding for finding in found if finding.rule not in elsewhere_or_proved)


def proved(step: StepName, results: Iterable[Result], tools: Tools) -> Proved:
    """Return what is remembered of proofs: every result, and the roots and programs behind them; this blocks for some milliseconds."""
    few = (replace(one, diagnostics=one.diagnostics[:_TOLD]) for one in results)
    return Proved(
        step=step, at=tools.now(), results=sealing.rows(few), roots=roots_of(tools.profile), versions=(*sealing.versions(), *_programs())
    )


def was_made(release: Release) -> bool:
    """Tell whether what was read of the publication was proved as well; a bot that could not prove yet may have begun with it."""
    return any(one.step == StepName.PUBLICATION for one in release.proofs)


def more(release: Release, results: Sequence[Result]) -> tuple[Proved, ...]:
    """Return what the publication proved, with what was proved since."""
    rows = sealing.rows(results)
    known = (one for one in release.proofs if one.step == StepName.PUBLICATION)
    return tuple(replace(one, results=(*one.results, *rows)) for one in known) if rows else ()


@cache
def _programs() -> tuple[tuple[str, str], ...]:
    return tuple((name, version_of(name)) for name in ("git", "gpgv"))


def _in_words(result: Result) -> str:
    return " – ".join([f"`{result.subject}`: {result.why}", *result.diagnostics[:2]])


async def _index(listed: Listed, shelf: Shelf, tools: Tools) -> Mapping[str, bytes | NotProven]:
    """Read what the install manager is offered, where the release is to be among it; raise Unavailable where that cannot be read now."""
    if not tells_of_manifest(listed.files):
        return {}
    index = await index_of(tools.python_org, shelf.folder)
    troubles = [content for content in index.values() if isinstance(content, NotProven)]
    # Where one of the two is missing, neither is asked for again by the clock.
    if troubles and all(isinstance(trouble, Unusable) for trouble in troubles):
        raise Unavailable(troubles[0].why)
    return index


async def source_tree(release: Release, tag: Tag, tools: Tools) -> tuple[SourceTree | None, tuple[Result, ...]]:
    """Read the tree of the tag out of the fork that it was proved from, as far as it is not here; else return why it proves nothing.

    Raises what ``Git.fetch`` raises.
    """
    await tools.git.fetch(tag.fork, [tag.object])
    entries = {change.path: change for change in await tools.git.diff(EMPTY_TREE, tag.commit)}
    commit = await tools.git.commit(tag.commit)
    paths = [path for path in entries if path.rpartition("/")[2] == ATTRIBUTES]
    attributes = await tools.git.fetch_files(tag.fork, tag.commit, *paths) if paths else {}
    revision = Revision(name=tag.name, commit_id=tag.commit, tree_id=commit.tree, tag_id=tag.object)
    rows = {path: TreeEntry(mode=one.new_mode, object_id=one.new_id) for path, one in entries.items() if one.new_mode and one.new_id}
    try:
        tree = await asyncio.to_thread(GitTree.from_entries, rows, attributes, revision=revision)
    except NotProven as trouble:
        return None, (Result.of(tag.name, ProofName.SOURCE_TREE, trouble),)
    return SourceTree(tree, ExportRules.for_version(release.version)), ()
