"""How it is told what changed on python.org since it was confirmed."""

from dataclasses import replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from bot.publishing import NOTHING_READ, Listed, changes, names
from bot.release.published import Ended, FileRead, PublicationSeen
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


def test_what_was_stored_before_there_was_a_digest_of_the_content_is_still_read() -> None:
    told = TypeAdapter(PublicationSeen)
    stored = '{"rows": "d its own entry", "first": "2026-11-20T12:00:00Z", "again": null, "right": true}'
    seen = told.validate_json(stored)
    assert (seen.content, seen.partly) == ("", ())
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    partly = replace(seen, content="c", partly=(FileRead(url="u", at=at, ended=Ended.WITHHELD, status=403, why="no"),))
    assert told.validate_json(told.dump_json(partly)) == partly
