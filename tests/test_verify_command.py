"""``python -m bot verify`` as people run it: offline and from a site on this machine, on real releases and on those made here."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.rehearsal.serving import reserve, serving, url_of
from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.verify.install_manager import CATALOGUE, INDEX
from bot.verify_command import run
from tests.reference import reference
from tests.verify.small_release import SmallRelease
from tests.verify.test_release_windows import manifest

ROOT = Path(__file__).parent.parent
SYSTEMS = {"source": 3, "windows": 1, "macos": 2}
ONLY = ("--only", "Python-*.tar.xz")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The results, without the summary."""
        return [json.loads(line) for line in self.out.splitlines()][:-1]

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads(self.out.splitlines()[-1]))


async def program(*arguments: str, folder: Path | None = None) -> Ended:
    """Run the program as its own process; without a home, and with ``folder`` for what is temporary."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **({"TMPDIR": str(folder)} if folder else {})}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "verify", *arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


HandOut = Callable[[web.Request], Awaitable[web.StreamResponse]]


def site_of(
    name: str,
    rows: Sequence[dict[str, Any]],
    folders: Sequence[Path],
    hand_out: HandOut | None = None,
    *,
    twice: bool = False,
    **release: Any,
) -> web.Application:
    """Return a python.org with one release: its lists, and its files out of folders."""

    def listed(objects: Sequence[dict[str, Any]]) -> web.Response:
        meta = {"limit": 100, "offset": 0, "next": None, "previous": None, "total_count": len(objects)}
        return web.json_response({"meta": meta, "objects": list(objects)})

    async def releases(request: web.Request) -> web.Response:
        row = {
            "resource_uri": "/api/v1/downloads/release/7/",
            "name": name,
            "slug": name.lower().replace(" ", "-").replace(".", ""),
            "version": 3,
            "is_published": True,
            "is_latest": False,
            "pre_release": False,
            "show_on_download_page": True,
            "release_date": "2026-08-01T12:00:00",
            "release_notes_url": "https://docs.python.org/",
            **release,
        }
        again = {**row, "resource_uri": "/api/v1/downloads/release/8/"}
        return listed([row, again][: 1 + twice] if request.query["name"] == name and row["is_published"] else [])

    async def files(_: web.Request) -> web.Response:
        return listed(rows)

    async def systems(_: web.Request) -> web.Response:
        return listed([{"resource_uri": f"/api/v1/downloads/os/{number}/", "slug": slug, "name": slug} for slug, number in SYSTEMS.items()])

    async def file(request: web.Request) -> web.StreamResponse:
        found = [folder / request.match_info["name"] for folder in folders if (folder / request.match_info["name"]).is_file()]
        return web.FileResponse(found[0]) if found else web.Response(status=404)

    application = web.Application()
    application.router.add_get("/api/v1/downloads/release/", releases)
    application.router.add_get("/api/v1/downloads/release_file/", files)
    application.router.add_get("/api/v1/downloads/os/", systems)
    for path in ("/ftp/python/{name}", "/ftp/python/{base}/{name}"):
        application.router.add_get(path, hand_out or file)
    return application


@asynccontextmanager
async def shown(application: web.Application) -> AsyncIterator[str]:
    port = reserve()
    async with serving(application, port):
        yield url_of(port)


def row_of(entry: dict[str, Any], number: int, **more: Any) -> dict[str, Any]:
    """Return a row of the real metadata the way the API of the site tells it."""
    raw = entry["raw"]
    name = raw["url"].rsplit("/", 1)[-1]
    system = "source" if name.startswith("Python-") else "macos" if name.endswith(".pkg") else "windows"
    return {
        "resource_uri": f"/api/v1/downloads/release_file/{number}/",
        "name": name,
        "slug": f"{raw['slug']}-{number}",
        "os": f"/api/v1/downloads/os/{SYSTEMS[system]}/",
        "release": "/api/v1/downloads/release/7/",
        "description": raw["description"] or "",
        "is_source": system == "source",
        "url": raw["url"],
        "gpg_signature_file": "",
        "md5_sum": raw["md5"] or "",
        "sha256_sum": raw["sha256"] or "",
        "filesize": raw["filesize"],
        "download_button": name.endswith((".tar.xz", "-amd64.exe", ".pkg")),
        "sigstore_signature_file": "",
        "sigstore_cert_file": "",
        "sigstore_bundle_file": raw["url"] + ".sigstore",
        "sbom_spdx2_file": "",
        **more,
    }


def real(version: str) -> tuple[Path, Path]:
    return reference("artifacts/source"), reference(f"artifacts/metadata/{version}.json")


@pytest.mark.parametrize("version", ["3.13.5", pytest.param("3.14.4", marks=pytest.mark.chaos)])
async def test_a_real_tarball_is_verified_offline(version: str) -> None:
    source, metadata = real(version)
    keys = reference("artifacts/keys")
    ended = await program(version, *ONLY, "--directory", str(source), "--metadata", str(metadata), "--keys", str(keys), "--json")
    assert ended.code == 0, ended
    assert ended.summary["good"]
    verdicts = {row["proof"]: row["verdict"] for row in ended.rows if row["subject"] == f"Python-{version}.tar.xz"}
    assert verdicts["Sigstore"] == verdicts["archive"] == "verified"
    # From 3.14 on there are no OpenPGP signatures; that of 3.13.5 needs the merged copies of the key.
    assert verdicts["OpenPGP"] == ("absent as expected" if version == "3.14.4" else "verified")
    # python.org did not state a SHA-256 of releases before 2026.
    assert verdicts["bytes"] == ("verified" if version == "3.14.4" else "absent as expected")


@pytest.mark.parametrize("version", ["3.14.4", pytest.param("3.13.5", marks=pytest.mark.chaos)])
async def test_a_real_tarball_is_verified_as_served_on_this_machine(version: str, tmp_path: Path) -> None:
    source, metadata = real(version)
    rows = [row_of(entry, number) for number, entry in enumerate(json.loads(metadata.read_text()), 1)]
    async with shown(site_of(f"Python {version}", rows, [source])) as url:
        ended = await program(version, *ONLY, "--url", url, folder=tmp_path)
    assert ended.code == 0, ended
    assert "good in everything that was asked" in ended.out
    assert list(tmp_path.iterdir()) == []
    assert max(map(len, ended.out.splitlines())) <= 80


@pytest.mark.parametrize("version", ["3.13.5", pytest.param("3.14.4", marks=pytest.mark.chaos)])
async def test_a_real_release_of_which_most_is_absent_is_not_good_and_each_file_is_named(version: str) -> None:
    source, metadata = real(version)
    ended = await program(version, "--directory", str(source), "--metadata", str(metadata))
    names = {entry["raw"]["url"].rsplit("/", 1)[-1] for entry in json.loads(metadata.read_text())} - {f"Python-{version}.tar.xz"}
    assert ended.code == 1
    said = " ".join(ended.out.split())
    assert all(f"{name}, which python.org lists, is not in the folder" in said for name in names)
    assert f"NOT good. {len(names)} of" in said


async def test_a_small_release_is_downloaded_verified_and_kept(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path)
    kept = tmp_path / "kept"
    async with shown(site_of("Python 3.14.9", list(release.rows.values()), [release.files])) as url:
        ended = await program("3.14.9", "--profile", str(release.profile), "--url", url, "--keep", str(kept), "--json")
    assert ended.code == 0, ended
    assert {path.name for path in kept.iterdir()} == {path.name for path in release.files.iterdir()}
    assert {row["verdict"] for row in ended.rows} == {"verified", "absent as expected"}
    assert not any("metadata" in sentence for sentence in ended.summary["not_asked"])


async def served(release: SmallRelease, capsys: pytest.CaptureFixture[str], *more: str, **row: Any) -> Ended:
    """Verify a small release as a site shows it, in this process."""
    application = site_of("Python 3.14.9", list(release.rows.values()), [release.files], **row)
    async with shown(application) as url:
        arguments = ["3.14.9", "--profile", str(release.profile), "--url", url, "--json", *more]
        code = await asyncio.to_thread(run, arguments)
    captured = capsys.readouterr()
    return Ended(code, captured.out, captured.err)


Spoil = Callable[[SmallRelease], object]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda release: release.tgz.write_bytes(release.tgz.read_bytes()[:-1]), "is not the file that python.org states"),
        (lambda release: release.tgz.write_bytes(release.tgz.read_bytes() + b"x"), "has more than the"),
        (lambda release: release.tgz.unlink(), "is listed on python.org, but there is no such file"),
        (lambda release: release.tgz.with_name(f"{release.tgz.name}.sigstore").unlink(), "there is no such file"),
        (lambda release: release.state(release.tgz.name, url="https://www.python.org/etc/../passwd"), "is not handed out"),
        (lambda release: release.state(release.tgz.name, os="/api/v1/downloads/os/1/", download_button=True), ""),
    ],
)
async def test_what_the_site_hands_out_wrongly_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Spoil, why: str) -> None:
    release = SmallRelease(tmp_path)
    spoil(release)
    ended = await served(release, capsys)
    if why:
        assert ended.code == 1
        assert any(why in row["why"] for row in ended.rows if not row["good"]), ended.out
    else:
        # How a file is shown is no question of trust; it is told all the same.
        (listed,) = [row for row in ended.rows if row["proof"] == "expected files"]
        assert ended.code == 0
        assert "not listed as they usually are" in listed["diagnostics"][0]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"is_published": False}, "does not show"),
        ({"pre_release": True}, "pre-release mark is wrong"),
        ({"twice": True}, "2 published releases named"),
    ],
)
async def test_how_the_site_shows_the_release_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: dict[str, Any], why: str
) -> None:
    ended = await served(SmallRelease(tmp_path), capsys, **row)
    assert ended.code == 1
    assert why in ended.rows[0]["why"]


async def test_files_that_were_downloaded_before_are_held_against_what_the_site_states_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = SmallRelease(tmp_path)
    ended = await served(release, capsys, "--directory", str(release.files))
    assert ended.code == 0, ended
    release.txz.write_bytes(b"")
    assert (await served(release, capsys, "--directory", str(release.files))).summary["bad"] == [release.txz.name, "Python 3.14.9"]


@pytest.mark.parametrize(("has", "code"), [((INDEX, CATALOGUE), 0), ((INDEX,), 1), ((), 1)])
async def test_the_index_of_the_install_manager_is_downloaded_with_the_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], has: tuple[str, ...], code: int
) -> None:
    signing = SmallWindowsSigning.create(tmp_path)
    release = SmallRelease(tmp_path / "release", groups=("windows-manifest",), companions=(".sigstore",), roots=signing.roots_pem)
    release.add("windows-3.14.9.json", listing := manifest(), os="/api/v1/downloads/os/1/")
    for name, content in ((INDEX, listing), (CATALOGUE, signing.sign_catalogue(listing))):
        if name in has:
            (release.files / name).write_bytes(content)
    kept = tmp_path / "kept"
    ended = await served(release, capsys, "--keep", str(kept))
    assert ended.code == code, ended
    assert {path.name for path in kept.iterdir()} & {INDEX, CATALOGUE} == set(has)
    verdicts = {row["proof"]: row["verdict"] for row in ended.rows if row["subject"] == INDEX}
    wanted = {(INDEX, CATALOGUE): {"Authenticode": "verified"}, (INDEX,): {"Authenticode": "failed"}, (): {"install manager": "failed"}}
    assert verdicts == wanted[has]
    # Without the manifest nobody asks for what all releases share.
    assert (await served(release, capsys, *ONLY)).code == 0


@pytest.mark.parametrize("place", ["3.14.8/Python-3.14.9.tgz.sigstore", "3.14.8/python-3.14.9.TGZ", "3.14.8/Python-3.14.9.tgz"])
async def test_two_files_never_come_to_lie_in_one_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    release = SmallRelease(tmp_path)
    url = f"https://www.python.org/ftp/python/{place}"
    release.rows["another"] = {**release.rows[release.tgz.name], "url": url, "resource_uri": "/api/v1/downloads/release_file/9/"}
    ended = await served(release, capsys)
    assert ended.code == 1, ended
    assert f"Another file is listed under the same name, so {url} was not looked for." in [row["why"] for row in ended.rows]
    good = [row for row in ended.rows if row["subject"] == release.txz.name]
    assert {row["good"] for row in good} == {True}


async def test_a_site_that_does_not_answer_is_no_proof_either_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)

    async def silent(_: web.Request) -> web.Response:
        return web.Response(status=503)

    application = web.Application()
    application.router.add_get("/{path:.*}", silent)
    async with shown(application) as url:
        code = await asyncio.to_thread(run, ["3.14.9", "--profile", str(release.profile), "--url", url, "--json"])
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (code, row["verdict"]) == (1, "unusable")
    assert "could not be asked" in row["why"]


def test_the_table_is_readable_in_eighty_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    release.tgz.write_bytes(b"\x1b[2J" * 100)
    assert run(release.arguments()) == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    assert "  FAILED   bytes            Python-3.14.9.tgz is not the file that python.org" in lines
    assert "Not asked:" in lines
    assert "Python 3.14.9 (bugfix): NOT good." in captured.out
    assert "FAILED   bytes of Python-3.14.9.tgz" in captured.err


def test_json_is_one_object_on_each_line_and_last_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    assert run(release.arguments("--json", "--only", "*.tgz")) == 0
    *rows, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {frozenset(row) for row in rows} == {frozenset({"subject", "proof", "verdict", "good", "why", "signer", "diagnostics"})}
    assert set(summary) == {"version", "kind", "good", "results", "bad", "not_asked"}
    assert (summary["version"], summary["kind"], summary["good"]) == ("3.14.9", "bugfix", True)
    assert sum(summary["results"].values()) == len(rows)


def test_the_tag_ties_the_sources_to_its_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    clone = release.repository()
    assert run(release.arguments("--json", "--tag", str(clone))) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    verdicts = {(row.get("subject"), row.get("proof")): row.get("verdict") for row in rows}
    assert verdicts["v3.14.9", "tag"] == "absent as expected"  # nobody signed it, and from 3.14 on nobody has to
    assert verdicts[release.tgz.name, "tarball = tag"] == verdicts[release.txz.name, "tarball = tag"] == "verified"

    raw = subprocess.run(["git", "cat-file", "tag", "v3.14.9"], cwd=clone, capture_output=True, check=True).stdout
    (tmp_path / "tag").write_bytes(raw)
    assert run(release.arguments("--json", "--tag", str(tmp_path / "tag"))) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert any("give a clone of the repository" in sentence for sentence in summary["not_asked"])


def test_a_tag_with_other_files_or_another_name_is_not_that_of_the_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    clone = release.repository({"README.rst": b"This is Monty\n", "configure": b"#!/bin/sh\n"})
    assert run(release.arguments("--json", "--tag", str(clone))) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]
    (why,) = {row["why"] for row in rows if row["proof"] == "tarball = tag" and row["subject"] == release.tgz.name}
    assert "README.rst" in why
    assert "Lib/os.py" in why
    raw = subprocess.run(["git", "cat-file", "tag", "v3.14.9"], cwd=clone, capture_output=True, check=True).stdout
    (tmp_path / "tag").write_bytes(raw.replace(b"tag v3.14.9", b"tag v3.14.8"))
    for where in (tmp_path / "tag", tmp_path / "nowhere", tmp_path):
        assert run(release.arguments("--json", "--tag", str(where))) == 1
        first = json.loads(capsys.readouterr().out.splitlines()[0])
        assert (first["subject"], first["proof"], first["good"]) == ("v3.14.9", "tag", False)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "VERSION"),
        (["3.14"], "is not a version"),
        (["3.14.9", "--kind", "beta"], "is no beta release"),
        (["3.14.9", "--kind", "nightly"], "invalid choice"),
        (["9.9.9"], "says nothing about 9.9"),
        (["3.14.9a1"], "has no kind"),
        (["3.14.9", "--metadata", "x"], "--directory"),
        (["3.14.9", "--directory", "nowhere", "--metadata", "nowhere"], "cannot be read"),
        (["3.14.9", "--directory", "nowhere", "--metadata", "METADATA"], "is not a folder"),
        (["3.14.9", "--directory", "FILES", "--metadata", "METADATA", "--only", "nothing*"], "fits 'nothing*'"),
        (["3.14.9", "--directory", "FILES", "--metadata", "METADATA", "--keys", "FILES"], "no keys"),
        (["3.14.9", "--directory", "FILES", "--keep", "x"], "--keep is for downloads"),
        (["3.14.9", "--keep", "FILES"], "is not empty"),
        (["3.14.9", "--keep", "METADATA"], "cannot be used as a folder"),
        (["3.14.9", "--url", "http://example.org"], "in clear text"),
        (["3.14.9", "--profile", "nowhere.toml"], "There is no profile"),
        (["3.14.9", "--directory", "x" * 300, "--metadata", "METADATA"], "cannot be used (File name too long)"),
        (["3.14.9", "--directory", "FILES", "--metadata", "METADATA", "--tag", "x" * 300], "cannot be used (File name too long)"),
        (["3.14.9", "--directory", "FILES", "--metadata", "METADATA", "--keys", "x" * 300], "cannot be used (File name too long)"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    release = SmallRelease(tmp_path)
    named = {"FILES": str(release.files), "METADATA": str(release.metadata)}
    profile = [] if "--profile" in arguments or not arguments else ["--profile", str(release.profile)]
    assert run([*(named.get(argument, argument) for argument in arguments), *profile]) == 2
    captured = capsys.readouterr()
    assert why in " ".join(captured.err.split())
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_only_what_may_be_absent_and_is_fits_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    release.profile.write_text(release.profile.read_text().replace("groups = []", 'groups = [], optional = ["windows-embeddable"]'))
    assert run(release.arguments("--only", "python-*-embed-*.zip")) == 2
    assert "No file of the release fits" in capsys.readouterr().err


def test_nothing_that_a_terminal_would_obey_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    release.state(release.tgz.name, url="https://www.python.org/ftp/python/3.14.9/\x1b[2J\x9b2J\u202egood")
    for code, more in ((1, ()), (1, ("--json",)), (2, ("--only", "nothing"))):
        assert run(release.arguments(*more)) == code
        captured = capsys.readouterr()
        assert (captured.out + captured.err).replace("\n", "").isprintable(), captured


def test_a_size_that_no_file_has_is_no_metadata(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = SmallRelease(tmp_path)
    release.state(release.tgz.name, filesize=10**400)
    assert run(release.arguments()) == 2
    assert "is in none of the known forms (at objects.0.filesize" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("signed", "kind"), [("SSH SIGNATURE", "ssh"), ("SIGNED MESSAGE", "gitsign")])
def test_who_signed_a_tag_in_another_way_is_not_asked_where_nobody_has_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], signed: str, kind: str
) -> None:
    release = SmallRelease(tmp_path)
    raw = subprocess.run(["git", "cat-file", "tag", "v3.14.9"], cwd=release.repository(), capture_output=True, check=True).stdout
    (tmp_path / "tag").write_bytes(raw + f"-----BEGIN {signed}-----\nAAAA\n-----END {signed}-----\n".encode())
    assert run(release.arguments("--json", "--tag", str(tmp_path / "tag"))) == 0
    *rows, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "who signed it was not asked" in rows[0]["why"]
    assert any("python -m bot verify-tag" in sentence for sentence in summary["not_asked"])
    release.profile.write_text(release.profile.read_text().replace('signature = "if-present"', 'signature = "required"'))
    assert run(release.arguments("--json", "--tag", str(tmp_path / "tag"))) == 1
    assert f"{kind.upper() if kind == 'ssh' else kind}: no" in json.loads(capsys.readouterr().out.splitlines()[0])["why"]


def test_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "130 interrupted" in " ".join(capsys.readouterr().out.split())


async def test_an_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path)
    begun = asyncio.Event()
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    async def slow(_: web.Request) -> web.StreamResponse:
        begun.set()
        await asyncio.sleep(60)
        return web.Response()

    application = site_of("Python 3.14.9", list(release.rows.values()), [], hand_out=slow)
    async with shown(application) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "verify", "3.14.9", "--profile", str(release.profile), "--url", url),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        await begun.wait()
        assert list(temporary.iterdir())
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert process.returncode == 130
    assert (out, b"Traceback" in err) == (b"", False)
    assert list(temporary.iterdir()) == []
