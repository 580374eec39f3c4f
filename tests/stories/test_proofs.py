"""Before the push every signature, archive and list of parts is proved: what is wrong is named and holds the release until it is mended.

Everything is published as it should be, but for what somebody does to the files between their upload and the list of them.
"""

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.publication.problems import Rule
from bot.rehearsal import publisher
from bot.rehearsal.keys import openpgp_key
from bot.rehearsal.release_files import INDEX
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.repository import Identity
from bot.rehearsal.trust_windows import SmallWindowsSigning
from tests.stories.building import CALL
from tests.stories.story import Story
from tests.stories.telling import telling
from tests.stories.test_whole import PATIENT

TGZ, TAR_XZ, PKG = "Python-{}.tgz", "Python-{}.tar.xz", "python-{}-macos11.pkg"
INSTALLER, OTHER, EMBED = "python-{}-amd64.exe", "python-{}-arm64.exe", "python-{}-embed-amd64.zip"

STRANGER = Identity(name="Tim the Enchanter", email="tim@rehearsal.invalid")


@asynccontextmanager
async def uploaded(tmp_path: Path, version: str) -> AsyncIterator[tuple[Story, Cut]]:
    """Tell a whole release up to the moment in which all its files lie on python.org with what vouches for them, and none is listed."""
    async with telling(tmp_path, version, whole=True) as story:
        story.patience = PATIENT
        cut = await story.opened()
        await story.built(cut)
        await story.went(cut)
        await story.step("publication", "needs a person")
        await story.comment(CALL, f"@{story.manager}", "python.org does not show")
        publisher.upload(story.world, story.files, publisher.downloaded(story.world, story.files))
        publisher.vouch(story.world, story.files)
        yield story, cut


def put(story: Story, name: str, content: bytes) -> None:
    """Put other bytes on python.org, and have everybody see them."""
    path = story.files.path(name)
    story.world.python_org.upload(path, content)
    story.world.python_org.purge(path)


def vouched(story: Story, name: str, content: bytes) -> None:
    """Put another file on python.org, with all that the release manager and the pipeline would put beside it."""
    put(story, name, content)
    for other, beside in story.files.vouching(name, content).items():
        put(story, other, beside)


def listed(story: Story) -> None:
    """List everything as it lies there, and show it to everybody."""
    publisher.list_files(story.world, story.files)
    publisher.publish(story.world, story.files)


def listed_anew(story: Story, *names: str) -> None:
    """List files once more, as they lie there now."""
    site, release = story.world.python_org, publisher.release_name(story.files)
    for name in names:
        site.unregister(story.files.path(name))
        site.register(release, story.files.path(name))


async def held(story: Story, cut: Cut, found: dict[Rule, set[str]], *words: str) -> None:
    """See that exactly this is found, of these files, that it is said in these words, and that nothing is pushed."""
    await story.comment(CALL, f"/release waive publication {cut.tag} REASON", "/release retry publication", *words)
    step = await story.step("publication", "needs a person")
    named: dict[str, set[str]] = {}
    for row in step["evidence"]:
        named.setdefault(row["what"], set()).add(row["value"].split("`")[1].rpartition("/")[2])
    assert named == {Rule.SILENT_BUILDER: {f"windows-{cut.version}.json"}} | found
    assert f"refs/tags/v{cut.version}" not in await story.upstream()


async def dossier(story: Story) -> Mapping[str, Any]:
    """Return what the dossier says."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{story.url}/releases/cpython/{story.setting.version}/dossier.json") as answer,
    ):
        return dict(json.loads(await answer.read()))


async def ends_well(story: Story, cut: Cut) -> Mapping[tuple[str, str], Any]:
    """Ask for another look, see that the release goes upstream, and return the proofs of its dossier, by subject and name."""
    await story.agreed(story.say("/release retry publication"))
    await story.comment("is out")
    await story.state("done")
    assert (await story.upstream())[f"refs/tags/v{cut.version}"] == cut.tag
    whole = await dossier(story)
    assert {root["name"].partition(" ")[0] for root in whole["roots"]} >= {"Sigstore", "Authenticode"}
    proofs = {(row["subject"], row["proof"]): row for row in whole["proofs"] if row["step"] == "publication"}
    assert {row["verdict"] for row in proofs.values()} <= {"verified", "absent as expected"}
    return proofs


def another_tree(tgz: bytes) -> bytes:
    """Return a source archive in which one file says something else, packed as well as the real one."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(tgz))) as archive:
        files = [(member, reader.read() if (reader := archive.extractfile(member)) else b"") for member in archive]
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in files:
            said = content + b"It's just a flesh wound.\n" if member.name.endswith("/README.rst") else content
            member.size = len(said)
            archive.addfile(member, io.BytesIO(said))
    return gzip.compress(plain.getvalue(), mtime=0)


def with_a_link(tar_xz: bytes) -> bytes:
    """Return a source archive with a link out of it."""
    plain = io.BytesIO(lzma.decompress(tar_xz))
    with tarfile.open(fileobj=plain, mode="a") as archive:
        link = tarfile.TarInfo(f"{archive.getnames()[0].partition('/')[0]}/spam")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return lzma.compress(plain.getvalue())


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return archive.getvalue()


def login_of_another(story: Story, name: str) -> bytes:
    """Return a bundle over the very file, made by somebody else."""
    workshop, digest = story.setting.workshop, hashlib.sha256(story.files[name]).hexdigest()
    return workshop.sigstore.sign(digest, "tim@rehearsal.invalid", workshop.issuer)


async def test_whatever_is_wrong_is_named_and_once_it_is_mended_all_of_it_is_proved(tmp_path: Path) -> None:
    async with uploaded(tmp_path, "3.15.0a3") as (story, cut):
        version, files = story.setting.version, story.files
        tgz, pkg, installer, other = (name.format(version) for name in (TGZ, PKG, INSTALLER, OTHER))
        good = {name: files[name] for name in (tgz, installer)}
        beside = {pkg + ".sigstore": files.companions(pkg)[pkg + ".sigstore"], **files.companions(other)}
        put(story, pkg + ".sigstore", login_of_another(story, pkg))
        vouched(story, installer, SmallWindowsSigning.small_pe(b"nobody signed me"))
        vouched(story, tgz, another_tree(good[tgz]))
        put(story, other + ".spdx.json", files.companions(installer)[installer + ".spdx.json"])
        listed(story)
        whole = f"Python {version}"
        found = {
            Rule.BUILDER_HASH: {installer, tgz},
            Rule.SIGSTORE: {pkg},
            Rule.AUTHENTICODE: {installer},
            Rule.SBOM: {other},
            Rule.SAME_TAR: {whole},
            Rule.SOURCE_TREE: {tgz},
        }
        words = (
            "signed by tim@",
            f"{installer} is not signed",
            f"packageFileName of its package CPython is `{installer}`",
            "changed: 'README.rst'",
        )
        await held(story, cut, found, *words)
        for name, content in good.items():
            vouched(story, name, content)
        for name, content in beside.items():
            put(story, name, content)
        listed_anew(story, *good)
        proofs = await ends_well(story, cut)
        assert story.setting.workshop.identity in proofs[pkg, "Sigstore"]["signer"]
        assert proofs[installer, "Authenticode"]["signer"] == "Python Software Foundation"
        assert proofs[tgz, "tarball = tag"]["verdict"] == "verified"
        assert proofs[INDEX, "Authenticode"]["signer"] == "Python Software Foundation"


# --- one fault at a time


async def recalled(story: Story) -> None:
    """End the release here."""
    await story.agreed(story.say("/release abort this story is told"))
    await story.comment("wants to recall")
    story.say("/release abort it is", by="pablogsal")
    await story.state("aborted")
    await story.comment("was recalled after its go", "off python.org")


@pytest.mark.chaos
async def test_an_installer_that_its_builders_forgot_to_sign_is_held_although_it_is_what_they_built(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        story.patience = PATIENT
        installer = INSTALLER.format("3.15.0a3")
        story.files.installers[installer] = SmallWindowsSigning.small_pe(b"nobody signed me")
        cut = await story.opened()
        await story.built(cut)
        await story.went(cut)
        await story.published()
        await held(story, cut, {Rule.AUTHENTICODE: {installer}}, f"{installer} is not signed")
        await recalled(story)


@pytest.mark.chaos
async def test_a_signature_by_a_key_that_does_not_sign_such_files_is_held(tmp_path: Path) -> None:
    async with uploaded(tmp_path, "3.13.6") as (story, cut):
        files, known, tags = story.files, story.setting.workshop.openpgp, story.setting.key
        tgz, tar_xz, installer, pkg = (name.format("3.13.6") for name in (TGZ, TAR_XZ, INSTALLER, PKG))
        assert tags is not None
        with openpgp_key(STRANGER) as stranger:
            signers = {tgz: known["windows"], tar_xz: tags, installer: known["source"], pkg: stranger}
            for name, key in signers.items():
                put(story, f"{name}.asc", key.sign(files[name]))
        listed(story)
        await held(story, cut, {Rule.OPENPGP: set(signers)}, *(f"signed by {signers[name].fingerprint}" for name in (tgz, tar_xz)))
        for name in signers:
            put(story, f"{name}.asc", files.companions(name)[f"{name}.asc"])
        proofs = await ends_well(story, cut)
        assert known["source"].fingerprint in proofs[tgz, "OpenPGP"]["signer"]
        assert known["macos"].fingerprint in proofs[pkg, "OpenPGP"]["signer"]


@pytest.mark.chaos
async def test_bundles_of_others_links_in_archives_and_packages_of_others_are_held(tmp_path: Path) -> None:
    async with uploaded(tmp_path, "3.15.0a3") as (story, cut):
        version, files, workshop = story.setting.version, story.files, story.setting.workshop
        tar_xz, pkg, installer, other, embed = (name.format(version) for name in (TAR_XZ, PKG, INSTALLER, OTHER, EMBED))
        manifest = f"windows-{version}.json"
        digest = hashlib.sha256(files[pkg]).hexdigest()
        put(story, f"{pkg}.sigstore", workshop.sigstore.sign(digest, workshop.identity, "https://accounts.google.com"))
        put(story, f"{other}.sigstore", files.companions(installer)[f"{installer}.sigstore"])
        vouched(story, tar_xz, with_a_link(files[tar_xz]))
        vouched(story, embed, packed({"python.exe": SmallWindowsSigning.small_pe(b"nobody signed me"), "LICENSE.txt": b"spam"}))
        vouched(story, manifest, files[manifest].replace(b"PythonCore", b"PythonSpam", 1))
        site, of_others = story.world.python_org, workshop.windows.issue("Sir Bedevere")
        site.upload(f"{INDEX}.cat", of_others.sign_catalogue(site.content(INDEX) or b""))
        site.purge(f"{INDEX}.cat")
        listed(story)
        found = {
            Rule.BUILDER_HASH: {tar_xz, embed},
            Rule.SIGSTORE: {pkg, other},
            Rule.AUTHENTICODE: {embed, INDEX},
            Rule.SBOM: {tar_xz},
            Rule.ARCHIVE: {tar_xz},
            Rule.SAME_TAR: {f"Python {version}"},
            Rule.SOURCE_TREE: {tar_xz},
            Rule.INSTALL_MANAGER: {manifest},
        }
        await held(story, cut, found, "https://accounts.google.com", "signed by Sir Bedevere")
        await recalled(story)
