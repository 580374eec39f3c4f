"""Drafts of the announcements of a release, for its manager to finish and to post: for a forum, and as a post of the blog.

What only people can tell is left to them, in square brackets.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.release.model import Release
from bot.release.version import Kind, Level
from bot.verify.release_diff.news_format import NO_CHANGES, Entry
from bot.words import templates
from bot.words.markdown import plain
from bot.words.thanks import Places, Text

SECURITY: Final = "Security"
MOST: Final = 40
"""How many security entries a draft names; no release of the last years has more."""
LONGEST: Final = 400

_LEVELS: Final = {Level.ALPHA: "alpha", Level.BETA: "beta", Level.CANDIDATE: "release candidate"}
_ROLE: Final = re.compile(r":[a-z][a-z:-]*:`[!~]?([^`<]+?)(?: <[^`>]*>)?`|``([^`]+)``")
"""What reStructuredText marks: https://www.sphinx-doc.org/en/master/usage/referencing.html."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What a release brings: how many entries of news each section has, the most first, and those about security, in one line each."""

    counts: tuple[tuple[str, int], ...] = ()
    security: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Return how many entries there are."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the drafts are made of; ``author`` is the full name of who announces it, ``digest`` that of the dossier."""

    news: News
    places: Places
    digest: str
    author: str
    day: date


def news_of(entries: Sequence[Entry]) -> News:
    """Return what the entries of a release's news tell."""
    told = [entry for entry in entries if entry.known(NO_CHANGES) != "True"]
    counts = Counter(plain(entry.known("section"), LONGEST) for entry in told)
    security = tuple(f"{plain(entry.issue, LONGEST)}: {in_one_line(entry.body)}" for entry in told if entry.known("section") == SECURITY)
    return News(counts=tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))), security=security)


def in_one_line(text: str) -> str:
    """Return the first paragraph of an entry as Markdown, without what only reStructuredText knows: code stays, and nobody is mentioned."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return plain(_ROLE.sub(lambda found: f"`{found[1] or found[2]}`", paragraph), LONGEST)


def title(release: Release) -> str:
    """Return how people call what happened: ``Python 3.15.0 beta 1 is out``."""
    version = release.version
    if release.kind is Kind.END_OF_LIFE:
        return f"Python {version.series} has reached the end of its life"
    level = f" {_LEVELS[version.level]} {version.serial}" if version.level in _LEVELS else ""
    return f"Python {version.base}{level} is out"


def post_path(release: Release) -> str:
    """Return where the blog has a post: https://github.com/python/python-insider-blog#writing-a-blog-post."""
    words = title(release).lower().removesuffix(" is out").replace(".", "")
    return f"content/posts/{re.sub(r'[^a-z0-9]+', '-', words)}/index.md"


def for_forum(release: Release, facts: Facts, forum: str) -> Text:
    """Return the draft for a forum, whose address is ``forum``."""
    return Text(title=f"Draft for {forum}: “{title(release)}”, with the tag release", text=_body(release, facts))


def for_blog(release: Release, facts: Facts, repository: str) -> Text:
    """Return the draft of a post, as the file that a pull request to the blog adds."""
    head = templates.render(
        "post.md.j2",
        title=json.dumps(title(release), ensure_ascii=False),
        author=json.dumps(facts.author, ensure_ascii=False),
        day=facts.day.isoformat(),
    )
    return Text(title=f"Draft for {repository}: {post_path(release)}", text=f"{head}\n\n{_body(release, facts)}")


def _body(release: Release, facts: Facts) -> str:
    return templates.render(
        "announcement.md.j2",
        release=release,
        version=release.version,
        level=_LEVELS.get(release.version.level, ""),
        ended=release.kind is Kind.END_OF_LIFE,
        sources_only=release.kind is Kind.SECURITY,
        news=facts.news,
        security=facts.news.security[:MOST],
        more=max(0, len(facts.news.security) - MOST),
        places=facts.places,
        digest=facts.digest,
        author=facts.author,
    )
