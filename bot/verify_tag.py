"""What ``--tag`` adds to the verification of a release: the tag itself, and its files for the comparison with the source archives."""

from dataclasses import dataclass
from pathlib import Path

from bot.errors import Unavailable
from bot.release.facts import Signed
from bot.verify.authenticity import Signers, TagVerdict, TagVerifier
from bot.verify.release_policy import ReleasePolicy
from bot.verify.report import Report
from bot.verify.result import NotProven, ProofName, Proven, Result, Unusable
from bot.verify.source_tree import ExportRules, SourceTree
from bot.verify.tag_source import TagSource, tag_source


@dataclass(frozen=True, kw_only=True)
class AskedTag:
    """What is known of the tag; without one there is nothing. ``source_tree`` is None when only the tag's object is there."""

    results: tuple[Result, ...] = ()
    not_asked: tuple[str, ...] = ()
    source_tree: SourceTree | None = None

    @classmethod
    def read(cls, source: Path, policy: ReleasePolicy) -> "AskedTag":
        """Read and verify the tag of a release, from a repository or its raw object; every doubt is in the results."""
        subject = policy.version.tag
        try:
            found = tag_source(source, subject)
        except NotProven as trouble:
            return cls(results=(Result.of(subject, ProofName.TAG, trouble),))
        except Unavailable as trouble:
            return cls(results=(Result.of(subject, ProofName.TAG, Unusable(f"The tag could not be read ({trouble}); try again.")),))
        result, not_asked = _verified(found, policy)
        if found.tree is None:
            missing = f"its object alone tells its commit, {found.commit_id}, but not its files; give a clone of the repository"
            return cls(results=(result,), not_asked=(*not_asked, f"Whether the sources are those of the tag {subject}: {missing}."))
        tree = SourceTree(found.tree, ExportRules.for_version(policy.version))
        return cls(results=(result,), not_asked=not_asked, source_tree=tree)

    def added_to(self, report: Report) -> Report:
        """Return a report with what is known of the tag before everything else."""
        return Report(results=self.results + report.results, not_asked=self.not_asked + report.not_asked)


def _verified(found: TagSource, policy: ReleasePolicy) -> tuple[Result, tuple[str, ...]]:
    """Return the result of the tag itself, and what was not asked of it."""
    target = f"It is tag {found.name} of commit {found.commit_id}"
    if found.raw is None:
        why = f"{found.name} is lightweight, so nobody signed or dated it; a release needs an annotated tag."
        return Result.of(found.name, ProofName.TAG, NotProven(why, f"commit {found.commit_id}")), ()
    verdict = TagVerifier(openpgp=policy.openpgp).verify(
        found.raw, name=found.name, target=found.commit_id, signers=Signers(fingerprints=policy.signers.source)
    )
    if verdict.good:
        proven = Proven(why=f"{target}: {verdict.why}.", signer=verdict.signer, diagnostics=verdict.diagnostics)
        return Result.of(found.name, ProofName.TAG, proven), ()
    return _not_good(found, policy, verdict, target)


def _not_good(found: TagSource, policy: ReleasePolicy, verdict: TagVerdict, target: str) -> tuple[Result, tuple[str, ...]]:
    series = policy.version.series
    if verdict.signed is Signed.UNSIGNED and not policy.tag_signature_required:
        why = f"{target}. It is unsigned, as tags of {series} may be: nothing but the commit's id says whose it is."
        return Result.absent(found.name, ProofName.TAG, why), ()
    if verdict.signed in (Signed.SSH, Signed.GITSIGN) and not policy.tag_signature_required:
        question = f"Whether the signature of the tag {found.name} is good: ask python -m bot verify-tag, which takes the keys or logins."
        return Result.of(found.name, ProofName.TAG, Proven(why=f"{target}; who signed it was not asked.")), (question,)
    if verdict.signed is Signed.OPENPGP and policy.openpgp is None:
        question = f"Whether the signature of the tag {found.name} is good: no OpenPGP keys were given."
        return Result.of(found.name, ProofName.TAG, Proven(why=f"{target}; who signed it was not asked.")), (question,)
    why = f"{target}, but its signature does not count: {verdict.why}."
    if verdict.signed is Signed.UNSIGNED:
        why = f"{target}, but it is unsigned, and tags of {series} have to be signed."
    trouble = NotProven if verdict.usable else Unusable
    return Result.of(found.name, ProofName.TAG, trouble(why, *verdict.diagnostics)), ()
