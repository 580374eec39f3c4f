"""Which proofs one file of a release needs, and what is not asked of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

from bot.publication import Companion, ExpectedFile, FileGroup
from bot.verify.archive import Archive, read_archive
from bot.verify.archive_proofs import ArchiveHygiene
from bot.verify.authenticode import AuthenticodeProven
from bot.verify.digests import Digests, digest_file
from bot.verify.material import Lack, Lacking, MaterialFile
from bot.verify.release_policy import Builder, ReleasePolicy
from bot.verify.report import Once, Watcher
from bot.verify.result import NotProven, ProofName, Proven, Result, Unusable
from bot.verify.sbom import Sbom
from bot.verify.source_tree import SourceTree
from bot.verify.stated_bytes import StatedBytes


@dataclass(frozen=True, kw_only=True)
class Task:
    """One proof that is still to be made."""

    subject: str
    proof: ProofName
    work: Callable[[], Proven]


@dataclass(frozen=True, kw_only=True)
class NotAsked:
    """One question that nobody answers: ``question`` is a clause, ``because`` another, ``name`` is of the file that it is about."""

    question: str
    because: str
    name: str = ""


Step = Task | Result | NotAsked


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is the same for every file: ``whole`` tells whether the whole release is asked about."""

    policy: ReleasePolicy
    builders: Sequence[Builder]
    source_tree: SourceTree | None
    whole: bool
    watcher: Watcher
    stop: Event


class FileProofs:
    """The proofs of one listed file; what several of them need is worked out once."""

    def __init__(self, file: MaterialFile, question: Question) -> None:
        """Find out what the file is; nothing is read yet."""
        self.file = file
        self._question = question
        self._policy = question.policy
        found = (expected for expected in question.policy.expected if expected.url == file.row.url)
        self._expected: ExpectedFile | None = next(found, None)
        self._digests = Once(self._digest)
        self.archive: Once[Archive] | None = Once(self._read_archive) if self.group is FileGroup.SOURCE and file.path else None

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.file.name

    @property
    def group(self) -> FileGroup | None:
        """Return which kind of file it is; None where the release does not have it."""
        return self._expected.group if self._expected else None

    def steps(self) -> Iterator[Step]:
        """Yield every proof, in the order in which it is told."""
        if self.file.trouble is not None:
            yield Result.of(self.name, ProofName.BYTES, self.file.trouble)
            return
        yield self._task(ProofName.BYTES, lambda: self.stated.verify(self._digests()))
        yield from self._builders()
        yield from self._openpgp()
        yield from self._sigstore()
        yield from self._authenticode()
        yield from self._sbom()
        yield from self._archive()

    @property
    def stated(self) -> StatedBytes:
        """Return what is stated of its bytes."""
        row = self.file.row
        return StatedBytes(name=self.name, size=row.size, md5=row.md5, sha256=row.sha256)

    def _task(self, proof: ProofName, work: Callable[[], Proven]) -> Task:
        return Task(subject=self.name, proof=proof, work=work)

    def _failed(self, proof: ProofName, why: str) -> Result:
        return Result.of(self.name, proof, NotProven(why))

    def _not_asked(self, question: str, because: str) -> NotAsked:
        return NotAsked(question=question, because=because, name=self.name)

    def _should_have(self, companion: Companion) -> bool:
        return self._expected is not None and companion in self._expected.companions

    def _builders(self) -> Iterator[Step]:
        for builder in self._question.builders:
            if told := builder.sha256.get(self.name):
                yield self._task(ProofName.BUILDER, partial(self._built, builder.name, told))

    def _built(self, who: str, told: str) -> Proven:
        is_now = self._digests().sha256
        if is_now != told:
            raise NotProven(
                f"{self.name} is not what {who} built: find out which of the two is right, and replace the other.",
                f"SHA-256: {is_now}",
                f"{who}: {told}",
            )
        return Proven(why=f"It has the SHA-256 that {who} told.", diagnostics=(is_now,))

    def _openpgp(self) -> Iterator[Step]:
        held, openpgp, allowed = self.file.companions[Companion.OPENPGP], self._policy.openpgp, self._policy.signers.of(self.group)
        question = "Whether the OpenPGP signatures (.asc) are good"
        if isinstance(held, Lacking):
            yield from self._no_openpgp(held, question)
        elif openpgp is None:
            yield self._not_asked(question, "no OpenPGP keys were given")
        elif not allowed:
            yield self._not_asked(question, f"nobody is named who signs such files of {self._policy.version.series}")
        else:
            path, signature = self._path, held
            yield self._task(ProofName.OPENPGP, lambda: openpgp.verify_file(path, signature, allowed=allowed))

    def _no_openpgp(self, held: Lacking, question: str) -> Iterator[Step]:
        absent = held.lack in (Lack.UNLISTED, Lack.UNTOLD)
        if absent and not self._should_have(Companion.OPENPGP):
            yield Result.absent(self.name, ProofName.OPENPGP, self._no_openpgp_expected())
        elif held.lack is Lack.UNTOLD:
            yield self._not_asked(question, "none lies in the folder, and the metadata does not tell whether there is one")
        elif absent and self._policy.openpgp is None and not self._question.whole:
            yield self._not_asked(question, "no OpenPGP keys were given")
        else:
            yield self._failed(ProofName.OPENPGP, f"{self.name} has to have an OpenPGP signature (.asc), but {held.why}.")

    def _no_openpgp_expected(self) -> str:
        series = self._policy.version.series
        return f"There is no .asc and there should be none: such files of {series} are signed with Sigstore alone (PEP 761)."

    def _sigstore(self) -> Iterator[Step]:
        held, sigstore = self.file.companions[Companion.SIGSTORE], self._policy.sigstore
        if not isinstance(held, Lacking):
            if sigstore is None:
                because = f"nobody is named whose Sigstore signature counts for {self._policy.version.series}"
                yield self._not_asked("Whether the Sigstore bundles are good", because)
            else:
                bundle = held
                yield self._task(ProofName.SIGSTORE, lambda: sigstore.verify(bundle, self._digests().sha256))
        elif self._should_have(Companion.SIGSTORE) or held.lack in (Lack.GONE, Lack.ELSEWHERE):
            yield self._failed(ProofName.SIGSTORE, f"{self.name} has to have a Sigstore bundle (.sigstore), but {held.why}.")
        else:
            yield Result.absent(self.name, ProofName.SIGSTORE, f"There is no bundle: files of {self._policy.version.series} have none.")

    def _authenticode(self) -> Iterator[Step]:
        is_zip = self.name.startswith("python-") and "-embed-" in self.name and self.name.endswith(".zip")
        if not is_zip and not self.name.endswith(".exe"):
            return
        authenticode, path = self._policy.authenticode, self._path
        if authenticode is None:
            yield self._not_asked("Whether the Authenticode signatures are good", "the profile names nobody who signs for Windows")
        elif is_zip:
            yield self._task(ProofName.AUTHENTICODE, lambda: self._of_tag(authenticode.verify_zip(path)))
        else:
            yield self._task(ProofName.AUTHENTICODE, lambda: self._of_tag(authenticode.verify(path, self.name)))

    def _of_tag(self, proven: AuthenticodeProven) -> Proven:
        return proven.of_tag(self.name, self._policy.version.tag)

    def _sbom(self) -> Iterator[Step]:
        held = self.file.companions[Companion.SBOM]
        question = "Whether the SBOMs (.spdx.json) are about these files"
        if not isinstance(held, Lacking):
            sbom = held
            yield self._task(ProofName.SBOM, lambda: self._sbom_of(sbom))
        elif held.lack in (Lack.GONE, Lack.ELSEWHERE):
            yield self._failed(ProofName.SBOM, f"{self.name} has to have an SBOM (.spdx.json), but {held.why}.")
        elif not self._should_have(Companion.SBOM):
            return
        elif held.lack is Lack.UNTOLD:
            yield self._not_asked(question, "none lies in the folder, and the metadata does not tell whether there is one")
        elif not self._question.whole:
            yield self._not_asked(question, "python.org lists none, and only some files were asked about")
        else:
            yield self._failed(ProofName.SBOM, f"{self.name} has to have an SBOM (.spdx.json), but {held.why}.")

    def _sbom_of(self, sbom: bytes) -> Proven:
        proof = Sbom(file_name=self.name, version=self._policy.version, url=self.file.row.url)
        return proof.verify(sbom, self._digests().sha256, self.archive().members if self.archive else None)

    def _archive(self) -> Iterator[Step]:
        archive, tree = self.archive, self._question.source_tree
        if archive is None:
            return
        yield self._task(ProofName.ARCHIVE, lambda: ArchiveHygiene(self._policy.version).verify(archive()))
        if tree is not None:
            yield self._task(ProofName.SOURCE_TREE, lambda: tree.verify(archive()))

    @property
    def _path(self) -> Path:
        """Return where the bytes are; only asked of files that are there."""
        if self.file.path is None:
            raise Unusable(f"{self.name} is not there.")
        return self.file.path

    def _digest(self) -> Digests:
        if self.file.digests is not None:
            return self.file.digests
        watcher, stop = self._question.watcher, self._question.stop
        return digest_file(self._path, lambda path, count: watcher.read(path.name, count), stop=stop)

    def _read_archive(self) -> Archive:
        try:
            return read_archive(self._path)
        except OSError as error:
            raise Unusable(f"{self.name} cannot be read ({error.strerror}), so nothing is known of what is in it.") from None
