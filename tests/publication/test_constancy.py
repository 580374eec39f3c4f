"""What python.org shows some time after a release is held against what was confirmed, row by row and byte by byte."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.publication import findings_of, named
from bot.publication.constancy import Followed, Shown, changes
from bot.publication.files import FTP
from bot.publication.problems import Problem, Rule
from bot.publication.purging import is_plain, purge
from bot.publishing import Listed, by_name
from bot.release.published import Ended, FileRead
from bot.services.python_org import ReleaseFile
from tests.publication.test_comparison import FILES, RELEASE

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TGZ, PKG = FILES[0], next(file for file in FILES if file.url.endswith(".pkg"))


def read(file: ReleaseFile) -> FileRead:
    """Return that a file was read, and is what is listed."""
    return FileRead(url=file.url, at=AT, ended=Ended.READ, size=file.size, md5=file.md5, sha256=file.sha256)


def shown(files: Sequence[ReleaseFile] = FILES, *otherwise: FileRead) -> Shown:
    return Shown(
        rows=by_name(Listed(release=RELEASE, files=tuple(files)).rows),
        files={one.url: one for one in (*(read(file) for file in files), *otherwise)},
    )


def test_the_same_is_the_same() -> None:
    assert changes(shown(), shown(FILES[::-1]), FILES, ()) == changes(shown(()), shown(()), (), ())
    assert changes(shown(), shown(), FILES, ()).differences == ()


def test_every_row_that_is_otherwise_is_a_difference_of_its_own() -> None:
    stray = replace(TGZ, url=f"{FTP}3.15.0/stray.tgz")
    listed = (replace(TGZ, description="a model"), stray, *FILES[2:])
    found = changes(shown(), shown(listed), listed, ()).differences
    assert [one.what for one in found] == [
        "`3.15.0/Python-3.15.0a3.tar.xz` is not listed any more",
        "`3.15.0/Python-3.15.0a3.tgz` is listed otherwise than it was confirmed",
        "`3.15.0/stray.tgz` is listed, and was not when the release was confirmed",
    ]
    once_more = (replace(TGZ, description="only a model"), stray, *FILES[2:])
    again = changes(shown(), shown(once_more), once_more, ()).differences
    assert [one.key == other.key for one, other in zip(found, again, strict=True)] == [True, False, True]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (replace(read(TGZ), sha256="e" * 64), f"is another file: its SHA-256 is {'e' * 64}, confirmed was {TGZ.sha256}"),
        (replace(read(TGZ), ended=Ended.MISSING), "is not handed out: there is no such file"),
        (replace(read(TGZ), ended=Ended.WITHHELD, why="the site answers 403"), "is not handed out: the site answers 403"),
        (replace(read(TGZ), ended=Ended.OVERSIZED, size=7), "is another file: it has more than 7 bytes"),
    ],
)
def test_every_byte_counts(now: FileRead, words: str) -> None:
    (difference,) = changes(shown(), shown(FILES, now), FILES, ()).differences
    assert (difference.what, difference.address) == (f"{named(TGZ.url)} {words}", TGZ.url)


def test_what_was_let_pass_as_missing_may_be_mended() -> None:
    gone = replace(read(TGZ), ended=Ended.MISSING)
    mended = changes(shown(FILES, gone), shown(), FILES, ())
    assert (mended.differences, mended.news) == ((), (f"{named(TGZ.url)} is handed out now",))
    assert changes(shown(FILES, gone), shown(FILES, gone), FILES, ()).news == ()


def late(sha256: str = "") -> tuple[Followed, ...]:
    return (Followed(url=PKG.url, step="macos", sha256=sha256),)


def test_a_file_that_was_put_off_is_news_and_stays() -> None:
    before = shown([file for file in FILES if file is not PKG])
    bundle = FileRead(url=PKG.sigstore_bundle or f"{PKG.url}.sigstore", at=AT, ended=Ended.READ, sha256="5" * 64)
    files = tuple(replace(file, sigstore_bundle=bundle.url) if file is PKG else file for file in FILES)
    now = Shown(rows=shown(files).rows, files={**shown(files).files, bundle.url: bundle})
    followed = changes(before, now, files, late())
    assert followed.differences == ()
    assert "who made it did not tell it: `/release done macos SHA256`" in followed.news[0]
    assert {one.url for one in followed.files} == {PKG.url, bundle.url}
    after = Shown(rows={**before.rows, **by_name("\n".join(followed.rows))}, files={**before.files, **{f.url: f for f in followed.files}})
    assert changes(after, now, files, late()) == changes(now, now, files, late())
    assert "as it was told" in changes(before, now, files, late(PKG.sha256)).news[0]
    assert "told was" in changes(before, now, files, late("5" * 64)).differences[0].what
    assert "told was" in changes(after, now, files, late("5" * 64)).differences[0].what, "also when it is told only afterwards"


def test_a_file_that_followed_is_what_its_entry_states() -> None:
    before = shown([file for file in FILES if file is not PKG])
    other = replace(read(PKG), sha256="e" * 64)
    assert "is not what its entry states" in changes(before, shown(FILES, other), FILES, late()).differences[0].what
    gone = changes(before, shown(FILES, replace(other, ended=Ended.MISSING)), FILES, late())
    assert "is not handed out as it is listed" in gone.differences[0].what
    assert gone.differences[0].address == PKG.url
    assert (gone.news, gone.rows, gone.files) == ((f"{named(PKG.url)} followed",), (), ()), "it may still be mended"


# --- what people purge


def test_only_addresses_that_a_shell_takes_as_they_are_get_into_a_command() -> None:
    assert is_plain(TGZ.url)
    for address in (f"{TGZ.url};reboot", f"{TGZ.url}\n", f"{FTP}-o", f"{FTP}a`b", "https://elsewhere.example/x", "", f"{FTP}$(x)"):
        assert is_plain(address) is address.endswith("-o"), address
    assert purge(TGZ.url, PKG.url) == f"curl -X PURGE {TGZ.url} {PKG.url}"


def problem(address: str) -> Problem:
    return Problem(rule=Rule.NOT_SERVED, what=named(address), address=address)


def test_a_finding_says_exactly_what_to_purge() -> None:
    (finding,) = findings_of([problem(PKG.url), problem(TGZ.url), problem(TGZ.url)])
    assert finding.what.endswith(f"by the clock. To purge: `curl -X PURGE {TGZ.url} {PKG.url}`.")
    assert "curl" not in findings_of([problem("https://elsewhere.example/x")])[0].what
    assert "curl" not in findings_of([Problem(rule=Rule.MISSING, what="x", address=TGZ.url)])[0].what
    (many,) = findings_of([problem(f"{FTP}3.15.0/file-{number}.tgz") for number in range(20)])
    assert f", and the 7 more that are named above, with `{FTP}` before them." in many.what
