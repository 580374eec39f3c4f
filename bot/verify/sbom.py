"""Verify the list of parts of one published file: an SPDX 2.3 document whose CPython package is that file.

The format: https://spdx.github.io/spdx-spec/v2.3/. The documents are made by
https://github.com/python/release-tools/blob/main/sbom.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from bot.release.quoting import shown
from bot.release.version import Version
from bot.verify.result import NotProven, Proven
from bot.verify.sbom_document import Document, File, Package, read_document
from bot.verify.strict_json import some

_CPYTHON: Final = "CPython"


class FileHashes(Protocol):
    """The hashes of one file of an archive, in small hexadecimal letters."""

    @property
    def sha1(self) -> str:
        """Return its SHA-1."""

    @property
    def sha256(self) -> str:
        """Return its SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Sbom:
    """Proves that a document is the list of parts of the file ``file_name`` of ``version``, which is published at ``url``.

    Documents of source archives list every file of the archive. Those of Windows' installers and packages have the same frame but lists
    of their own, partly of files that only exist once installed: of them the frame and the hash of the file are proved, and nothing more.
    """

    file_name: str
    version: Version
    url: str

    def verify(self, sbom: bytes, sha256: str, files: Mapping[str, FileHashes] | None = None) -> Proven:
        """Verify the document of a file with this SHA-256; raise NotProven.

        ``files`` are those of the archive by their paths below its one top folder; None compares none.
        """
        name = f"{self.file_name}.spdx.json"
        document = read_document(sbom, name=name)
        if wrong := [*self._of_frame(document), *self._of_package(document.cpython(name=name), sha256)]:
            why = f"{name} is not about this {self.file_name}; make it anew from the file that is published, and publish it again."
            raise NotProven(why, *wrong)
        if files is None:
            return Proven(
                why=f"{name} names {self.file_name} with its hash; its {len(document.files)} files were not compared with anything.",
                diagnostics=(f"{len(document.packages)} packages, made {document.created}",),
            )
        if differing := sorted(_of_files(document.files, files)):
            why = f"{name} does not list the files that are in {self.file_name} (differences: {len(differing)}); make it anew."
            raise NotProven(why, *some(differing))
        document.refuse_loose_files(name=name)
        return Proven(
            why=f"{name} names {self.file_name} with its hash, and lists all its {len(files)} files with theirs and none besides.",
            diagnostics=(f"{len(document.packages)} packages, made {document.created}",),
        )

    def _of_frame(self, document: Document) -> Iterator[str]:
        """Tell what the document says of itself that is not so."""
        namespace = f"{self.url}.spdx.json"
        if document.namespace != namespace:
            yield f"its documentNamespace is {shown(document.namespace, longest=200)} instead of {namespace}"

    def _of_package(self, package: Package, sha256: str) -> Iterator[str]:
        """Tell what the document says of CPython that is not so."""
        usual = {
            "versionInfo": (package.version, str(self.version)),
            "packageFileName": (package.file_name, self.file_name),
            "downloadLocation": (package.url, self.url),
            "SHA-256": (package.hashes.get("SHA256", ""), sha256.lower()),
        }
        for part, (is_now, should_be) in usual.items():
            if is_now != should_be:
                yield f"the {part} of its package {_CPYTHON} is {shown(is_now, longest=200)} instead of {should_be}"


def _of_files(listed: tuple[File, ...], files: Mapping[str, FileHashes]) -> Iterator[str]:
    """Tell how the list differs from the files there are."""
    told = {file.path: file.hashes for file in listed}
    yield from (f"{shown(path, longest=200)} is in the archive and not listed" for path in files.keys() - told.keys())
    yield from (f"{shown(path, longest=200)} is listed and not in the archive" for path in told.keys() - files.keys())
    for path in files.keys() & told.keys():
        for algorithm, is_now in (("SHA1", files[path].sha1), ("SHA256", files[path].sha256)):
            if told[path].get(algorithm) != is_now:
                yield f"{shown(path, longest=200)} has another {algorithm} than is listed"
