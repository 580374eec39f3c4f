"""Prove what python.org hands out of a release, by the same code as ``python -m bot verify``, and say it in the release's own words.

What is listed, how large it is and what it hashes to is for ``bot.publication``; here it is signatures, contents, and the tie to the tag.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from bot import elsewhere, publishing, sealing
from bot.profile import Profile
from bot.profile_types import StepName
from bot.publication import FileGroup, Problem, Rule, findings_of
from bot.publishing import Listed
from bot.release.facts import Finding, Proved, Tag
from bot.release.model import Release
from bot.services.git import EMPTY_TREE
from bot.shelf import Shelf
from bot.tools import Tools
from bot.verify.git_objects import Revision, TreeEntry
from bot.verify.git_tree import ATTRIBUTES, GitTree
from bot.verify.material import Choice, from_directory
from bot.verify.metadata import Stated
from bot.verify.programs import version_of
from bot.verify.release import verify_release
from bot.verify.release_policy import Builder, ReleasePolicy
from bot.verify.report import Report
from bot.verify.result import ProofName, Result
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

_TOLD: Final = 10
"""How many diagnostics of each proof are remembered."""


def policy_of(release: Release, profile: Profile) -> ReleasePolicy:
    """Return what the release has to satisfy; raise UserError where keys or roots that the profile names cannot be used.

    This blocks for as long as it takes to read them.
    """
    policy = release_policy(profile, release.version, release.kind, keyring_of(profile, None))
    return replace(policy, expected=publishing.expected(release, profile))


async def prove(release: Release, tag: Tag, listed: Listed, shelf: Shelf, tools: Tools) -> Report:
    """Prove everything that lies on the shelf; raise UserError where keys, roots or programs are missing, and Unavailable."""
    policy = await asyncio.to_thread(policy_of, release, tools.profile)
    tree = await _source_tree(release, tag, tools) if any(file.group is FileGroup.SOURCE for file in policy.expected) else None
    stated = Stated(files=listed.files, companions=True)
    material = await asyncio.to_thread(from_directory, shelf.folder, stated, Choice(), listed.release, asked_site=True)
    builders = [Builder(name=build.step, sha256={file.name: file.sha256 for file in build.files}) for build in release.builds]
    return await asyncio.to_thread(verify_release, material, policy, source_tree=tree, builders=builders)


def findings(report: Report) -> tuple[Finding, ...]:
    """Return what no release may rest on, and is not found otherwise."""
    bad = ((_RULES.get(result.proof), result) for result in report.bad)
    return findings_of(Problem(rule=rule, what=_in_words(result)) for rule, result in bad if rule is not None)


def without(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return those findings that are neither of proofs nor of other places: those need no second look at bytes that did not change."""
    elsewhere_or_proved = {*_RULES.values(), *elsewhere.RULES}
    return tuple(finding for finding in found if finding.rule not in elsewhere_or_proved)


def proved(step: StepName, results: Iterable[Result], tools: Tools) -> Proved:
    """Return what is remembered of proofs: every result, and the roots and programs behind them; this blocks for some milliseconds."""
    few = (replace(one, diagnostics=one.diagnostics[:_TOLD]) for one in results)
    return Proved(
        step=step, at=tools.now(), results=sealing.rows(few), roots=roots_of(tools.profile), versions=(*sealing.versions(), *_programs())
    )


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


async def _source_tree(release: Release, tag: Tag, tools: Tools) -> SourceTree:
    """Read the tree of the tag out of the fork that it was proved from, as far as it is not here."""
    await tools.git.fetch(tag.fork, [tag.object])
    entries = {change.path: change for change in await tools.git.diff(EMPTY_TREE, tag.commit)}
    commit = await tools.git.commit(tag.commit)
    paths = [path for path in entries if path.rpartition("/")[2] == ATTRIBUTES]
    attributes = await tools.git.fetch_files(tag.fork, tag.commit, *paths) if paths else {}
    revision = Revision(name=tag.name, commit_id=tag.commit, tree_id=commit.tree, tag_id=tag.object)
    rows = {path: TreeEntry(mode=one.new_mode, object_id=one.new_id) for path, one in entries.items() if one.new_mode and one.new_id}
    tree = await asyncio.to_thread(GitTree.from_entries, rows, attributes, revision=revision)
    return SourceTree(tree, ExportRules.for_version(release.version))
