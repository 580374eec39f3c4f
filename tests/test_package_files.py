"""The files of a package are what they say, or nothing of it is released."""

import gzip
import io
import lzma
import tarfile
import zipfile
from hashlib import sha256

import pytest

from bot.packages import files as package_files
from bot.packages import on_pypi
from bot.release.facts import BuiltFile
from bot.release.version import Version
from bot.services.pypi import Ownership, Project, PublishedFile

VERSION = Version.parse("1.30.0", package="azure-core")
WHEEL, SOURCE = "azure_core-1.30.0-py3-none-any.whl", "azure_core-1.30.0.tar.gz"


def metadata(name: str = "azure-core", version: str = "1.30.0") -> bytes:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nA readme.\n".encode()


def wheel(content: bytes | None = None, *, inside: str = "azure_core-1.30.0.dist-info/METADATA") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(inside, metadata() if content is None else content)
        archive.writestr("azure/core/__init__.py", b"")
    return made.getvalue()


def sdist(content: bytes | None = None, *, inside: str = "azure_core-1.30.0/PKG-INFO", again: bytes | None = None) -> bytes:
    made = io.BytesIO()
    files = [("azure_core-1.30.0/setup.py", b""), (inside, metadata() if content is None else content)]
    files += [] if again is None else [(f"./{inside}", again)]
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in files:
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return gzip.compress(made.getvalue(), mtime=0)


def long_name(length: int) -> bytes:
    """Return a small archive whose only name is as long as that."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, length
    return gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + b"a" * length, compresslevel=1)


async def problems(**files: bytes) -> str:
    named = {"wheel": WHEEL, "source": SOURCE}
    return " ".join(await package_files.problems({named.get(name, name): content for name, content in files.items()}, VERSION))


async def test_a_wheel_and_a_source_archive_of_the_version_can_be_released() -> None:
    assert await problems(wheel=wheel(), source=sdist()) == ""
    assert await problems(wheel=wheel(metadata("Azure_Core", "1.30")), source=sdist()) == ""


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"source": sdist()}, "There is no wheel."),
        ({"wheel": wheel()}, "one source archive, and there is none"),
        (
            {"wheel": wheel(), "source": sdist(), "azure_core-1.30.0.zip": wheel(inside="azure_core-1.30.0/PKG-INFO")},
            "there are azure_core",
        ),
        (
            {"wheel": wheel(metadata(version="1.30.1")), "source": sdist()},
            "says inside that it is azure-core 1.30.1, not azure-core 1.30.0",
        ),
        ({"wheel": wheel(), "source": sdist(metadata("azure-evil"))}, "says inside that it is azure-evil 1.30.0"),
        ({"wheel": wheel(b""), "source": sdist()}, "says inside that it is nothing"),
        ({"wheel": wheel(inside="x/METADATA"), "source": sdist()}, "holds no azure_core-1.30.0.dist-info/METADATA"),
        ({"wheel": wheel(), "source": sdist(inside="x/PKG-INFO")}, "holds no azure_core-1.30.0/PKG-INFO"),
        ({"wheel": b"PK", "source": sdist()}, "is too short for a zip archive"),
        ({"wheel": wheel(), "source": b"no archive"}, "is no sound archive"),
        ({"azure_core-1.29.0-py3-none-any.whl": wheel(), "source": sdist()}, "is of azure-core 1.29.0, not of azure-core 1.30.0"),
        ({"azure_mgmt_core-1.30.0-py3-none-any.whl": wheel(), "source": sdist()}, "is of azure-mgmt-core 1.30.0"),
        ({"evil.whl": wheel(), "source": sdist()}, "evil.whl is not named as files on PyPI are"),
        ({"../azure_core-1.30.0-py3-none-any.whl": wheel(), "source": sdist()}, "is not named as files on PyPI are"),
        ({"wheel": wheel(), "/azure_core-1.30.0.tar.gz": sdist()}, "is of /azure-core 1.30.0, not of azure-core 1.30.0"),
        ({"wheel": wheel(metadata().replace(b"\n\n", b"\nName: azure-evil\n\n")), "source": sdist()}, "it is azure-core and azure-evil"),
        ({"wheel": wheel(), "source": sdist(again=metadata("azure-evil"))}, "holds azure_core-1.30.0/PKG-INFO twice"),
        ({"wheel": wheel(), "source": lzma.compress(gzip.decompress(sdist()))}, "is no sound archive"),
        ({"wheel": wheel(), "source": long_name(64 * 1024 * 1024)}, "it has an entry that is too long"),
    ],
)
async def test_whatever_is_not_as_promised_is_told(files: dict[str, bytes], says: str) -> None:
    assert says in await problems(**files)


async def test_every_file_is_hashed() -> None:
    assert await package_files.hashed({"b": b"two", "a": b"1"}) == (
        BuiltFile(name="a", sha256=sha256(b"1").hexdigest(), size=1),
        BuiltFile(name="b", sha256=sha256(b"two").hexdigest(), size=3),
    )


BUILT = (BuiltFile(name=WHEEL, sha256="a" * 64, size=7), BuiltFile(name=SOURCE, sha256="b" * 64, size=8))
THERE = (PublishedFile(name=WHEEL, sha256="a" * 64, size=7), PublishedFile(name=SOURCE, sha256="b" * 64))


def test_exactly_the_built_files_on_pypi_are_right() -> None:
    assert on_pypi.compare(BUILT, THERE).complete
    assert on_pypi.compare(BUILT, THERE[:1]).missing == (SOURCE,)
    assert not on_pypi.compare(BUILT, ()).complete


@pytest.mark.parametrize(
    ("published", "says"),
    [
        (PublishedFile(name=WHEEL, sha256="c" * 64, size=7), "was built with aaaa"),
        (PublishedFile(name=WHEEL, sha256="a" * 64, size=9), "has 9 bytes, and was built with 7"),
        (PublishedFile(name=WHEEL, sha256="a" * 64, size=7, yanked=True), "was yanked"),
        (PublishedFile(name="azure_core-1.30.0-cp313-none-any.whl", sha256="a" * 64), "and was not built"),
    ],
)
def test_whatever_else_pypi_has_is_told(published: PublishedFile, says: str) -> None:
    seen = on_pypi.compare(BUILT, [*(file for file in THERE if file.name != published.name), published])
    assert says in " ".join(seen.differs)
    assert not seen.complete


def test_the_files_of_a_version_are_told_by_their_names() -> None:
    project = Project(
        files=(*THERE, PublishedFile(name="azure_core-1.3.tar.gz", sha256="d" * 64), PublishedFile(name="odd.exe", sha256=""))
    )
    assert [file.name for file in project.of("1.30.0")] == [WHEEL, SOURCE]
    assert [file.name for file in project.of("1.3.0")] == ["azure_core-1.3.tar.gz"]
    assert {str(version) for version in project.versions} == {"1.30.0", "1.3"}


def test_an_account_or_an_organisation_owns_a_project() -> None:
    assert Ownership(owners=frozenset({"Microsoft"})).has("microsoft")
    assert Ownership(owners=frozenset(), organization="microsoft").has("microsoft")
    assert not Ownership(owners=frozenset({"somebody"})).has("microsoft")
