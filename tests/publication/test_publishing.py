"""How it is told what changed on python.org since it was confirmed."""

from dataclasses import replace

from bot.publishing import NOTHING_READ, Listed, changes, names
from tests.publication.test_comparison import FILES, RELEASE

LISTED = Listed(release=RELEASE, files=FILES)


def test_the_same_rows_are_the_same_in_any_order() -> None:
    assert Listed(release=RELEASE, files=FILES[::-1]).rows == LISTED.rows
    assert changes(LISTED.rows, LISTED) == ()


def test_every_row_that_changed_is_named() -> None:
    other = replace(FILES[1], id=99, url="https://elsewhere.example/\n")
    changed = Listed(release=replace(RELEASE, is_latest=True), files=(replace(FILES[0], description="a model"), other, *FILES[2:]))
    assert changed.rows != LISTED.rows
    assert set(changes(LISTED.rows, changed)) == {
        "its own entry was changed",
        "`3.15.0/Python-3.15.0a3.tgz` was changed",
        "`3.15.0/Python-3.15.0a3.tar.xz` is gone",
        "`https://elsewhere.example/\N{REPLACEMENT CHARACTER}` is new",
    }


def test_what_is_not_published_counts_as_nothing() -> None:
    assert Listed(release=None).rows == NOTHING_READ
    assert "its own entry is gone" in changes(LISTED.rows, Listed(release=None))
    assert names(NOTHING_READ) == ()
    assert set(names(LISTED.rows)) == {f"3.15.0/{file.file_name}" for file in FILES}
