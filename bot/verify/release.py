"""Verify a whole release, or some files of it: every proof that applies, those that do not depend on each other at once."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final

from bot.errors import Unavailable, UserError
from bot.publication import FileGroup
from bot.verify.archive_proofs import ArchiveHygiene, SameTar
from bot.verify.digests import WORKERS, Stopped
from bot.verify.listing import ExpectedFiles
from bot.verify.material import Choice, Material
from bot.verify.release_manifest import ManifestProofs
from bot.verify.release_policy import Builder, ReleasePolicy
from bot.verify.release_proofs import FileProofs, NotAsked, Question, Step, Task
from bot.verify.report import Report, Silent, Watcher
from bot.verify.result import NotProven, ProofName, Proven, Result, Unusable, Verdict
from bot.verify.source_tree import SourceTree

_VOUCHING: Final = (ProofName.SIGSTORE, ProofName.OPENPGP)


def verify_release(
    material: Material,
    policy: ReleasePolicy,
    *,
    source_tree: SourceTree | None = None,
    builders: Sequence[Builder] = (),
    only: Sequence[str] = (),
    watcher: Watcher | None = None,
) -> Report:
    """Verify what was found of a release; this blocks for as long as its files take to be read, on all processors.

    ``source_tree`` proves that source archives are the tag's, ``builders`` is what those who built the files told of them, and ``only``
    limits the question to files that fit one of the patterns. Raises nothing about the release: every doubt is in the report. Raises
    UserError where a program that verifying needs is missing.
    """
    choice = Choice(patterns=tuple(only))
    stop = Event()
    question = Question(policy=policy, builders=builders, source_tree=source_tree, whole=not only, watcher=watcher or Silent(), stop=stop)
    files = [FileProofs(file, question) for file in material.files if choice.takes(file.name)]
    steps: list[Step] = [*ExpectedFiles(policy.version, policy.expected, choice).results(material)]
    steps += [step for file in files for step in file.steps()]
    steps += [step for manifest in _manifests(files, material, question) for step in manifest.steps()]
    steps += [*_same_tar(files, policy), *(material.elsewhere or ())]
    steps += [*_not_asked(material, question)]
    results = _settled(_run(steps, question, _to_read(files)), files)
    return Report(results=tuple(results), not_asked=_sentences(step for step in steps if isinstance(step, NotAsked)))


def _run(steps: Sequence[Step], question: Question, sizes: Mapping[str, int]) -> list[Result]:
    """Make every proof, several at once, and return the results in the order of the steps."""
    watcher = question.watcher
    watcher.planned(sum(isinstance(step, Task) for step in steps), sizes)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="proof") as pool:
        try:
            outcomes = [pool.submit(_made, step, watcher) if isinstance(step, Task) else step for step in steps]
            return [
                outcome if isinstance(outcome, Result) else outcome.result() for outcome in outcomes if not isinstance(outcome, NotAsked)
            ]
        except BaseException:
            question.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _made(task: Task, watcher: Watcher) -> Result:
    """Make one proof."""
    outcome: Proven | NotProven
    try:
        outcome = task.work()
    except NotProven as trouble:
        outcome = trouble
    except Unavailable as trouble:
        outcome = Unusable(f"It could not be verified this time ({trouble}); try again.")
    except OSError as trouble:
        outcome = Unusable(f"{task.subject} cannot be read ({trouble.strerror}), so nothing is known of it.")
    except (UserError, Stopped):
        raise
    except Exception as trouble:  # noqa: BLE001 - foreign bytes must not end the proofs of all other files, and never count as proved
        outcome = _unforeseen(trouble)
    result = Result.of(task.subject, task.proof, outcome)
    watcher.ended(result)
    return result


def _unforeseen(trouble: Exception) -> Unusable:
    """Return that a proof itself is at fault, with what its authors need to know."""
    why = "The proof itself came to an unforeseen end, so nothing is proved; please report it with the lines below."
    return Unusable(why, *traceback.format_exception_only(trouble), *traceback.format_tb(trouble.__traceback__)[-2:])


def _manifests(files: Sequence[FileProofs], material: Material, question: Question) -> Iterator[ManifestProofs]:
    """Yield what is to be proved of the manifest, where it is there."""
    for file in files:
        if file.group is FileGroup.WINDOWS_MANIFEST and file.file.path is not None:
            yield ManifestProofs(path=file.file.path, index=material.index, question=question)


def _same_tar(files: Sequence[FileProofs], policy: ReleasePolicy) -> Iterator[Step]:
    """Compare the two source archives, where both are there."""
    archives = [file.archive for file in files if file.archive is not None]
    names = [file.name for file in policy.expected if file.group is FileGroup.SOURCE]
    if len(archives) == len(names) == 2:  # noqa: PLR2004 - the .tgz and the .tar.xz
        first, second = archives
        same = SameTar(reproducible=ArchiveHygiene(policy.version).reproducible)
        yield Task(subject=policy.name, proof=ProofName.SAME_TAR, work=lambda: same.verify(first(), second()))
    elif archives:
        yield NotAsked(question=f"Whether {' and '.join(names)} hold the same files", because="not both of them are here")


def _to_read(files: Sequence[FileProofs]) -> Mapping[str, int]:
    """Return how many bytes will be read to digest each file."""
    return {file.name: file.file.row.size for file in files if file.file.path is not None and file.file.digests is None}


def _settled(results: Sequence[Result], files: Sequence[FileProofs]) -> Iterator[Result]:
    """Yield the results, where those of files without a stated SHA-256 depend on whether a signature vouches for them."""
    vouched = {one.subject for one in results if one.proof in _VOUCHING and one.verdict is Verdict.VERIFIED}
    stated: Mapping[str, FileProofs] = {file.name: file for file in files}
    for result in results:
        if result.proof is ProofName.BYTES:
            yield stated[result.subject].stated.without_sha256(result, result.subject in vouched)
        else:
            yield result


def _not_asked(material: Material, question: Question) -> Iterator[NotAsked]:
    """Yield what is not asked of the release as a whole."""
    if not material.asked_site:
        yield NotAsked(
            question="Whether python.org shows the release, and how it and its files are marked there", because="only metadata was given"
        )
    if not question.whole:
        yield NotAsked(question="Whether the release has all its files and no others", because="only some were asked about")
    if question.source_tree is None and any(file.group is FileGroup.SOURCE for file in question.policy.expected):
        yield NotAsked(question="Whether the sources are those of the tag", because="the files of the tag were not given")
    if material.elsewhere is None:
        yield NotAsked(question="Whether the documentation and NuGet have the release", because="neither of them was asked")
    if not question.builders:
        yield NotAsked(question="Whether the files are those that were built", because="what the builders told was not given")


def _sentences(questions: Iterator[NotAsked]) -> tuple[str, ...]:
    """Return one sentence for each question and reason, naming the files that it is about."""
    names: dict[tuple[str, str], list[str]] = {}
    for one in questions:
        names.setdefault((one.question, one.because), []).append(one.name)
    return tuple(_sentence(question, because, [name for name in about if name]) for (question, because), about in names.items())


def _sentence(question: str, because: str, names: Sequence[str]) -> str:
    about = f" ({', '.join(names)})" if names else ""
    return f"{question}{about}: {because}."
