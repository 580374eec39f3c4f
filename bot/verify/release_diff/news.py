"""News: every fragment that was removed stands in the version's file, and nothing else does.

Source: ``blurb release``, https://github.com/python/blurb/blob/main/src/blurb/_release.py.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from bot.release.counting import counted
from bot.release.facts import Severity
from bot.release.version import Version
from bot.verify.release_diff.directives import with_version
from bot.verify.release_diff.model import NEWS_FRAGMENTS, Context, FileChange, Verdict, acknowledge, explained, waiver
from bot.verify.release_diff.news_format import (
    NO_CHANGES,
    RELEASE_DATE,
    Entry,
    NewsError,
    is_in_order,
    is_nonce,
    lines_of,
    parse,
    parse_fragment,
    written,
)
from bot.verify.release_diff.text import listed

_EVE: Final = timedelta(days=2)
_PLACEHOLDER: Final = "README.rst"
_MARKUP: Final = re.compile(r"\.\.[ \t]")
_NO_CHANGES_SECTION: Final = "Library"

Key = tuple[tuple[str, str], ...]


class News:
    """The version's file holds the removed fragments, or says that there were no changes."""

    name: Final = "news"
    required: Final = True
    proves: Final = "the file holds exactly the removed fragments, in order and under the day of the release, or says that there are none"

    def verify(self, change: FileChange, context: Context, all_changes: Sequence[FileChange], /) -> Verdict:
        """Compare the new file's entries with the fragments that the same commit removes."""
        if change.path != context.version.news_file:
            return waiver(f"is not the news of {context.version}: restore it")
        if change.old_mode is not None or change.new is None:
            return waiver("existed before this release: it must be new, made by blurb")
        try:
            entries = _entries(change.new)
            fragments = _fragments(all_changes)
        except NewsError as error:
            return waiver(f"cannot be compared with the removed fragments, because one of these files {error}: correct that one")
        if problem := _date_problem(entries):
            return waiver(problem, lines_of(change.new, RELEASE_DATE))
        judge = _judge_entries if fragments else _judge_no_changes
        verdict = judge(entries, fragments, change.new, context.version)
        return _judge_day(entries[0], change.new, context, verdict) if verdict.severity is Severity.EXPLAINED else verdict


class NewsFragment:
    """A fragment is removed, because the version's file holds it now."""

    name: Final = "news-fragment"
    required: Final = False
    proves: Final = "the fragment stands in the file of this version, by section, issue, date and nonce"

    def verify(self, change: FileChange, context: Context, all_changes: Sequence[FileChange], /) -> Verdict:
        """Accept the removal of a fragment that the version's file holds, by section, issue, date and nonce."""
        if not change.deletes or change.old is None:
            return waiver("is a news fragment that the release commit adds or changes: do that on the branch, before the release")
        if change.path.endswith(f"/{_PLACEHOLDER}"):
            return waiver("keeps its folder in the repository and is no news: restore it")
        merged = next((other.new for other in all_changes if other.path == context.version.news_file), None)
        try:
            fragment = parse_fragment(change.path, change.old.decode(errors="replace"))
            held = merged is not None and fragment.key in _keys(merged)
        except NewsError as error:
            return waiver(f"is removed, but it or the merged file {error}: restore it, or correct it and run blurb again")
        if held:
            return explained(f"is a fragment that {context.version.news_file} holds now")
        return waiver(f"is removed, but {context.version.news_file} does not hold it: run blurb again")


def is_fragment(path: str) -> bool:
    """Tell whether a path below Misc/NEWS.d/next is news, not one of the files that only keep the folders in the repository."""
    return path.startswith(NEWS_FRAGMENTS) and path.endswith(".rst") and not path.endswith(f"/{_PLACEHOLDER}")


def _entries(content: bytes) -> list[Entry]:
    return parse(content.decode(errors="replace"))


@lru_cache(maxsize=2)
def _keys(content: bytes) -> frozenset[Key]:
    """Return what identifies the entries of the merged file; kept, because every fragment is looked up in it. Raises NewsError."""
    return frozenset(entry.key for entry in _entries(content))


def _fragments(all_changes: Sequence[FileChange]) -> dict[Key, Entry]:
    """Return the removed fragments by what identifies them; raise NewsError for one that cannot be read."""
    fragments: dict[Key, Entry] = {}
    for change in all_changes:
        if change.deletes and change.old is not None and is_fragment(change.path):
            fragment = parse_fragment(change.path, change.old.decode(errors="replace"))
            fragments[fragment.key] = fragment
    return fragments


def _date_problem(entries: list[Entry]) -> str | None:
    """Return what is wrong with the day of the release, which stands in the first entry only."""
    first, *others = entries
    if not _is_day(first.known(RELEASE_DATE)):
        return "does not tell the day of the release in its first entry, as in `.. release date: 2026-03-03`: run blurb again"
    if any(entry.known(RELEASE_DATE) for entry in others):
        return "tells the day of the release more than once: run blurb again"
    return None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _judge_day(first: Entry, content: bytes, context: Context, verdict: Verdict) -> Verdict:
    """Let a person look at a day on which the tag was not made; release managers may run blurb on the eve."""
    day = date.fromisoformat(first.known(RELEASE_DATE))
    if context.tagged is None or abs(context.tagged - day) <= _EVE:
        return verdict
    why = f"says that {context.version} is released on {day}, but it was tagged on {context.tagged}: correct the day, or take note"
    return acknowledge(why, lines_of(content, RELEASE_DATE))


def _judge_no_changes(entries: list[Entry], _fragments: dict[Key, Entry], content: bytes, version: Version) -> Verdict:
    """Accept the one entry with which blurb says that a version has no news."""
    if len(entries) > 1 or entries[0].known(NO_CHANGES) != "True":
        issues = [entry.issue for entry in entries]
        why = f"has news without a fragment ({listed(issues)}): add the fragments on the branch, before the release"
        return waiver(why, lines_of(content, *issues))
    day, nonce = entries[0].known(RELEASE_DATE), entries[0].known("nonce")
    told = {NO_CHANGES: "True", "section": _NO_CHANGES_SECTION, "date": day, "nonce": nonce, RELEASE_DATE: day}
    body = f"There were no new changes in version {version}.\n"
    usual = [Entry(tuple(sorted({**told, issue: "0"}.items())), body) for issue in ("gh-issue", "bpo")]
    if is_nonce(nonce) and content in [written([entry]).encode() for entry in usual]:
        return explained(f"says that there are no changes in {version}, and no fragment was removed")
    return acknowledge("says in its own words that there are no changes: read it")


def _judge_entries(entries: list[Entry], fragments: dict[Key, Entry], content: bytes, version: Version) -> Verdict:
    """Pair the entries with the fragments, and compare their texts."""
    keys = [entry.key for entry in entries]
    missing = [fragment.issue for key, fragment in fragments.items() if key not in set(keys)]
    if missing:
        return waiver(f"leaves out news whose fragments were removed ({listed(missing)}): run blurb again")
    added = [entry.issue for entry in entries if entry.key not in fragments]
    if added or len(set(keys)) != len(keys):
        twice = "the same news twice" if not added else f"news without a fragment ({listed(added)})"
        times = Counter(keys)
        more = added or [entry.issue for entry in entries if times[entry.key] > 1]
        return waiver(f"has {twice}: correct the fragments on the branch and run blurb again", lines_of(content, *more))
    expected = [replace(fragments[entry.key], metadata=entry.metadata) for entry in entries]
    if content != with_version(written(expected).encode(), version):
        return _judge_polish(entries, expected, content, version)
    if not is_in_order(entries):
        return acknowledge(f"holds exactly the {counted(len(fragments), 'removed fragment')}, but not in an order in which blurb puts them")
    return explained(f"holds exactly the {counted(len(fragments), 'removed fragment')}")


def _judge_polish(entries: list[Entry], expected: list[Entry], content: bytes, version: Version) -> Verdict:
    """Accept prose that was edited by hand, and nothing that the documentation would act on."""
    polished = []
    for entry, original in zip(entries, expected, strict=True):
        if entry.body in (original.body, with_version(original.body.encode(), version).decode()):
            continue
        if len(_MARKUP.findall(entry.body)) > len(_MARKUP.findall(original.body)):
            why = f"adds markup to the news of {entry.issue} that its fragment does not have: take it out"
            return waiver(why, lines_of(content, entry.issue))
        polished.append(entry.issue)
    if not polished:
        return acknowledge(f"holds the {counted(len(expected), 'removed fragment')}, but is laid out in another way than blurb does")
    why = f"words {len(polished)} of {len(expected)} entries differently from their fragments ({listed(polished)}): read them"
    return acknowledge(why, lines_of(content, *polished))
