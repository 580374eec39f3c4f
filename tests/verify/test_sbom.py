"""Lists of parts: of archives made here, and the one that CPython's own tool makes of a real archive."""

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from bot.rehearsal.trust_sbom import spdx_of
from bot.release.version import Version
from bot.verify.result import NotProven
from bot.verify.sbom import Sbom
from bot.verify.sbom_document import LARGEST
from tests.reference import reference

VERSION = Version.parse("3.14.4")
FTP = "https://www.python.org/ftp/python/3.14.4"
NAME = "Python-3.14.4.tgz"
TREE = {"README.rst": b"This is Python\n", "Modules/expat/xmltok.c": b"int main;\n", "Lib/Übung.py": b"", "Lib/test/a b.py": b"# a\r\n"}

Document = dict[str, Any]
Change = Callable[[Document], object]


@dataclass(frozen=True)
class Hashes:
    sha1: str
    sha256: str


def hashes(content: bytes) -> Hashes:
    return Hashes(hashlib.sha1(content, usedforsecurity=False).hexdigest(), hashlib.sha256(content).hexdigest())


FILES = {path: hashes(content) for path, content in TREE.items()}


@cache
def archive() -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as opened:
        for path, content in TREE.items():
            member = tarfile.TarInfo(f"Python-3.14.4/{path}")
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


@cache
def made() -> bytes:
    return spdx_of(NAME, archive(), version="3.14.4", url=f"{FTP}/{NAME}")


SBOM = Sbom(file_name=NAME, version=VERSION, url=f"{FTP}/{NAME}")


def refused(document: bytes, *, sbom: Sbom = SBOM, files: dict[str, Hashes] | None = None) -> NotProven:
    with pytest.raises(NotProven) as caught:
        sbom.verify(document, hashes(archive()).sha256, FILES if files is None else files)
    assert caught.value.why.startswith(f"{sbom.file_name}.spdx.json ")
    assert caught.value.why.endswith(".")
    return caught.value


def changed(change: Change) -> bytes:
    document = json.loads(made())
    change(document)
    return json.dumps(document).encode()


def cpython(document: Document) -> Document:
    found: Document = next(package for package in document["packages"] if package["name"] == "CPython")
    return found


def test_the_document_of_this_archive_is_proved() -> None:
    found = SBOM.verify(made(), hashes(archive()).sha256, FILES)
    assert (
        found.why
        == "Python-3.14.4.tgz.spdx.json names Python-3.14.4.tgz with its hash, and lists all its 4 files with theirs and none besides."
    )
    assert found.diagnostics == ("2 packages, made 2026-08-01T00:00:00Z",)
    assert SBOM.verify(made(), hashes(archive()).sha256.upper(), FILES) == found


def test_the_documents_for_windows_are_proved_without_their_files() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("python.exe", b"MZ")
    for name, content in (("python-3.14.4-embed-amd64.zip", packed.getvalue()), ("python-3.14.4-amd64.exe", b"MZ installer")):
        document = spdx_of(name, content, version="3.14.4", url=f"{FTP}/{name}")
        sbom = Sbom(file_name=name, version=VERSION, url=f"{FTP}/{name}")
        found = sbom.verify(document, hashes(content).sha256)
        assert found.why.endswith(f"{1 if name.endswith('.zip') else 0} files were not compared with anything.")
        with pytest.raises(NotProven, match="is not about this"):
            sbom.verify(document, hashes(b"other").sha256)


def test_the_document_of_another_file_is_refused() -> None:
    name = "Python-3.14.4.tar.xz"
    wrong = refused(made(), sbom=Sbom(file_name=name, version=VERSION, url=f"{FTP}/{name}"))
    assert "is not about this Python-3.14.4.tar.xz" in wrong.why
    assert [line.split(" is ")[0] for line in wrong.diagnostics] == [
        "its documentNamespace",
        "the packageFileName of its package CPython",
        "the downloadLocation of its package CPython",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document.update(documentNamespace=f"{FTP}/{NAME}"), "its documentNamespace"),
        (
            lambda document: cpython(document).update(versionInfo="3.14.3"),
            "the versionInfo of its package CPython is `3.14.3` instead of 3.14.4",
        ),
        (lambda document: cpython(document).update(packageFileName="Python-3.14.4.tar.xz"), "the packageFileName"),
        (lambda document: cpython(document).update(downloadLocation=f"https://example.org/{NAME}"), "the downloadLocation"),
        (lambda document: cpython(document)["checksums"][0].update(checksumValue="0" * 64), "the SHA-256"),
        (lambda document: cpython(document).update(checksums=[]), "the SHA-256 of its package CPython is nothing"),
        (lambda document: cpython(document).pop("versionInfo"), "the versionInfo of its package CPython is nothing"),
    ],
)
def test_a_document_about_something_else_is_refused(change: Change, words: str) -> None:
    wrong = refused(changed(change))
    assert "is not about this Python-3.14.4.tgz" in wrong.why
    assert len(wrong.diagnostics) == 1
    assert wrong.diagnostics[0].startswith(words)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({**FILES, "Lib/new.py": hashes(b"")}, "`Lib/new.py` is in the archive and not listed"),
        ({path: FILES[path] for path in FILES if path != "README.rst"}, "`README.rst` is listed and not in the archive"),
        ({**FILES, "README.rst": Hashes("0" * 40, FILES["README.rst"].sha256)}, "`README.rst` has another SHA1 than is listed"),
        ({**FILES, "README.rst": Hashes(FILES["README.rst"].sha1, "0" * 64)}, "`README.rst` has another SHA256 than is listed"),
    ],
)
def test_a_list_that_is_not_that_of_the_archive_is_refused(files: dict[str, Hashes], words: str) -> None:
    wrong = refused(made(), files=files)
    assert "does not list the files that are in Python-3.14.4.tgz (differences: 1)" in wrong.why
    assert wrong.diagnostics == (words,)


def test_many_differences_are_told_in_part() -> None:
    wrong = refused(made(), files={str(number): hashes(b"") for number in range(100)})
    assert "(differences: 104)" in wrong.why
    assert len(wrong.diagnostics) == 21
    assert wrong.diagnostics[-1] == "and 84 more"


@pytest.mark.parametrize("part", ["packages", "files", "relationships"])
def test_of_a_list_of_faults_the_first_is_enough(part: str) -> None:
    wrong = refused(changed(lambda document: document.update({part: [{}] * 100_000})))
    assert wrong.diagnostics[0].startswith(f"{part}.0.")
    assert not any(line.startswith(f"{part}.1.") for line in wrong.diagnostics)


def test_a_name_that_appears_twice_among_many_is_found_at_once() -> None:
    names = ",".join(f'"{number}":0' for number in range(100_000))
    worked = time.process_time()
    assert refused(f'{{{names},"99999":0}}'.encode()).diagnostics == ("`99999` appears twice in one object",)
    assert time.process_time() - worked < 5


@pytest.mark.parametrize(
    "created",
    [
        "2023-11-13T19:28:00+00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-4-07T13:00:00Z",
        "2026-04-07 13:00:00",
        "2026-04-07T13:00:00",
        "",
        7,
        None,
    ],
)
def test_a_document_made_at_no_time_is_refused(created: object) -> None:
    assert (
        "not in the form it must have (creationInfo.created: "
        in refused(changed(lambda document: document["creationInfo"].update(created=created))).why
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document.update(spdxVersion="SPDX-2.2"), "spdxVersion"),
        (lambda document: document.update(SPDXID="SPDXRef-OTHER"), "SPDXID"),
        (lambda document: document.pop("dataLicense"), "dataLicense"),
        (lambda document: document.update(name=""), "name"),
        (lambda document: document["creationInfo"].update(creators=["Somebody"]), "creationInfo.creators.0"),
        (lambda document: document["creationInfo"].update(creators=[]), "creationInfo.creators"),
        (lambda document: document.update(packages=[]), "packages"),
        (lambda document: document.update(files={}), "files"),
        (lambda document: document["packages"][0].update(SPDXID="expat"), "packages.0.SPDXID"),
        (lambda document: document["packages"][0].pop("downloadLocation"), "packages.0.downloadLocation"),
        (lambda document: document["files"][1].update(fileName=1), "files.1.fileName"),
        (lambda document: document["files"][1]["checksums"][0].update(checksumValue="ab"), "files.1.checksums"),
        (lambda document: document["files"][1]["checksums"].append(document["files"][1]["checksums"][0]), "files.1.checksums"),
        (lambda document: document["files"][1]["checksums"][0].update(algorithm="CRC32"), "files.1.checksums.0.algorithm"),
        (lambda document: document["relationships"][0].update(relationshipType="contains"), "relationships.0.relationshipType"),
        (lambda document: document.pop("relationships"), "relationships"),
    ],
)
def test_a_document_of_another_form_is_refused(change: Change, words: str) -> None:
    assert f"not in the form it must have ({words}: " in refused(changed(change)).why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document["files"][1].update(SPDXID=document["files"][0]["SPDXID"]), "is given 2 times"),
        (lambda document: document["files"][1].update(SPDXID="SPDXRef-DOCUMENT"), "the SPDXID SPDXRef-DOCUMENT is given 2 times"),
        (lambda document: document["files"][1].update(fileName="./" + document["files"][0]["fileName"]), "is listed 2 times"),
        (lambda document: document["files"][1]["checksums"].pop(), "is listed without its SHA-1 or its SHA-256"),
        (lambda document: document["relationships"][-1].update(relatedSpdxElement="SPDXRef-gone"), "a CONTAINS names `SPDXRef-gone`"),
        (lambda document: document["relationships"][-1].update(spdxElementId="SPDXRef-gone"), "a CONTAINS names `SPDXRef-gone`"),
        (lambda document: document["relationships"][0].update(relatedSpdxElement="SPDXRef-gone"), "a DESCRIBES names `SPDXRef-gone`"),
        (
            lambda document: document["relationships"][-1].update(relatedSpdxElement="SPDXRef-PACKAGE-expat"),
            "only packages contain, and only files",
        ),
        (lambda document: document["relationships"][-1].update(spdxElementId="SPDXRef-DOCUMENT"), "only packages contain, and only files"),
        (lambda document: document["relationships"].pop(), "belongs to 0 packages"),
        (
            lambda document: document["relationships"].append({**document["relationships"][-1], "spdxElementId": "SPDXRef-PACKAGE-expat"}),
            "belongs to 2 packages",
        ),
        (
            lambda document: cpython(document)["packageVerificationCode"].update(packageVerificationCodeValue="0" * 40),
            "the verification code of CPython is not that of its 3 files",
        ),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(change: Change, words: str) -> None:
    wrong = refused(changed(change))
    assert "contradicts itself" in wrong.why
    assert any(words in line for line in wrong.diagnostics), wrong.diagnostics


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["relationships"].pop(0),
        lambda document: document["relationships"].append(document["relationships"][0]),
        lambda document: document["relationships"][0].update(relatedSpdxElement="SPDXRef-PACKAGE-expat"),
        lambda document: cpython(document).update(name="PyPy"),
        lambda document: document["packages"][0].update(name="CPython"),
    ],
)
def test_a_document_that_does_not_describe_cpython_alone_is_refused(change: Change) -> None:
    assert "does not describe exactly one package, CPython" in refused(changed(change)).why


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a JSON document"),
        (b"\xff\xfe{}", "is not a JSON document"),
        (b"[" * 200_000, "is not a JSON document"),
        (b'{"name": NaN}', "can be read in more than one way"),
        (b'{"name": "a", "name": "b"}', "can be read in more than one way"),
        (b"[]", "is not in the form it must have"),
        (b'"packages"', "is not in the form it must have"),
        (b" " * (LARGEST + 1), "far more than any such document needs"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, words: str) -> None:
    assert words in refused(content).why


def test_a_truncated_document_is_refused() -> None:
    assert "is not a JSON document" in refused(made()[:-20]).why


def test_a_fragment_is_refused_as_one() -> None:
    assert "only a fragment of an SBOM" in refused(changed(lambda document: document.pop("creationInfo"))).why


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("3.14.4-Misc-sbom.spdx.json", "only a fragment of an SBOM"),
        ("release-tools-test-sbom-with-pip.json", "not in the form it must have (creationInfo.creators: "),
    ],
)
def test_real_fragments_are_refused(fragment: str, words: str) -> None:
    assert words in refused(reference(f"artifacts/sbom/{fragment}").read_bytes()).why


@cache
def real_document() -> bytes:
    return lzma.decompress(reference("artifacts/sbom/Python-3.14.4.tgz.regenerated.spdx.json.xz").read_bytes())


@cache
def real_files() -> dict[str, Hashes]:
    found = {}
    with tarfile.open(reference("artifacts/source/Python-3.14.4.tar.xz")) as opened:
        for member in opened:
            reader = opened.extractfile(member) if member.isreg() else None
            if reader:
                found[member.name.partition("/")[2]] = hashes(reader.read())
    return found


def real_sha256() -> str:
    """Return the hash that python.org tells of the archive."""
    told = json.loads(reference("artifacts/metadata/3.14.4.json").read_text())
    found: str = next(file["sha256"] for file in told if file["raw"]["url"] == f"{FTP}/{NAME}")
    return found


def test_the_real_document_lists_the_real_archive() -> None:
    found = SBOM.verify(real_document(), real_sha256(), real_files())
    assert "lists all its 5093 files with theirs and none besides" in found.why
    assert found.diagnostics[0].startswith("25 packages, made 2026-11-20T")


def test_the_real_document_is_that_of_one_archive_only() -> None:
    name = "Python-3.14.4.tar.xz"
    with pytest.raises(NotProven, match=r"is not about this Python-3\.14\.4\.tar\.xz") as caught:
        Sbom(file_name=name, version=VERSION, url=f"{FTP}/{name}").verify(real_document(), "d" * 64, real_files())
    assert len(caught.value.diagnostics) == 4
    with pytest.raises(NotProven, match=r"is not about this Python-3\.14\.4\.tgz"):
        SBOM.verify(real_document(), "d" * 64, real_files())
    altered = {**real_files(), "Lib/os.py": hashes(b"import evil\n")}
    with pytest.raises(NotProven, match=r"\(differences: 2\)"):
        SBOM.verify(real_document(), real_sha256(), altered)
