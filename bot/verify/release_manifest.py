"""Which proofs the manifest of a release needs, and the index in which the install manager finds it on the day of the release."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bot.verify.digests import digest_file
from bot.verify.install_manager import CATALOGUE, INDEX, LARGEST, InstallManagerManifest, read_entries
from bot.verify.release_proofs import NotAsked, Question, Step, Task
from bot.verify.result import NotProven, ProofName, Proven, Result

_OFFERED: Final = "Whether the install manager is offered what the manifest names"


@dataclass(frozen=True, kw_only=True)
class ManifestProofs:
    """The proofs of a manifest at a ``path``; ``index`` is as in ``bot.verify.material.Material``."""

    path: Path
    index: Mapping[str, bytes | NotProven]
    question: Question

    def steps(self) -> Iterator[Step]:
        """Yield every proof, in the order in which it is told; the index is read already, but not the manifest."""
        index = self.index.get(INDEX)
        if index is None:
            yield self._manifest()
            yield NotAsked(question=_OFFERED, because=f"{INDEX} is not here")
        elif isinstance(index, NotProven):
            yield self._manifest()
            yield Result.of(INDEX, ProofName.INSTALL_MANAGER, index)
        elif newer := self._newer_in(index):
            yield self._manifest()
            yield NotAsked(question=_OFFERED, because=f"{INDEX} has moved on to Python {newer}")
            yield from self._catalogue(index)
        else:
            yield self._manifest(index)
            yield from self._catalogue(index)

    @property
    def _proof(self) -> InstallManagerManifest:
        return InstallManagerManifest(version=self.question.policy.version)

    def _manifest(self, index: bytes | None = None) -> Task:
        return Task(subject=self.path.name, proof=ProofName.INSTALL_MANAGER, work=partial(self._verified, index))

    def _verified(self, index: bytes | None) -> Proven:
        with self.path.open("rb") as file:
            content = file.read(LARGEST + 1)
        return self._proof.verify(content, index, known=self._known(content))

    def _known(self, manifest: bytes) -> Mapping[str, str]:
        """Return the SHA-256 of packages that their builders told, and of those that lie beside the manifest."""
        told = {name: sha256 for builder in self.question.builders for name, sha256 in builder.sha256.items()}
        names = {entry.file_name for entry in read_entries(manifest, name=self.path.name)}
        beside = [path for path in sorted(self.path.parent.iterdir()) if path.name in names and path.is_file()]
        return told | {path.name: digest_file(path, stop=self.question.stop).sha256 for path in beside}

    def _newer_in(self, index: bytes) -> str:
        try:
            newer = self._proof.newer_in(index)
        except NotProven:
            # What is no index at all is told by the proof itself.
            return ""
        return str(newer) if newer else ""

    def _catalogue(self, index: bytes) -> Iterator[Step]:
        """Prove who made the index."""
        catalogue, authenticode = self.index.get(CATALOGUE), self.question.policy.authenticode
        question = "Whether the index of the install manager is signed"
        if authenticode is None:
            yield NotAsked(question=question, because="the profile names nobody who signs for Windows")
        elif catalogue is None:
            yield NotAsked(question=question, because=f"{CATALOGUE} is not here")
        elif isinstance(catalogue, NotProven):
            yield Result.of(INDEX, ProofName.AUTHENTICODE, catalogue)
        else:
            work = partial(authenticode.verify_catalogue, catalogue, index, CATALOGUE)
            yield Task(subject=INDEX, proof=ProofName.AUTHENTICODE, work=work)
