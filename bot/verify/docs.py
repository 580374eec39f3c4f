"""Prove that the documentation of a release is there: its own page shows its version, and its archives are listed.

Candidates and finals have it, and nothing else has: PEP 101, https://peps.python.org/pep-0101/.
"""

import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from bot.release.version import Level, Version
from bot.verify.result import NotProven, Proven

FOLDER: Final = "https://www.python.org/ftp/python/doc/"
PAGES: Final = "https://docs.python.org"

_ARCHIVES: Final = tuple(
    f"python-{{version}}-docs-{form}.{packing}" for form in ("html", "texinfo", "text") for packing in ("tar.bz2", "zip")
)
_BOOK: Final = "python-{version}-docs.epub"
"""https://github.com/python/cpython/blob/main/Doc/Makefile, target ``dist``; some releases of old series have no book."""

_TITLE: Final = re.compile(r"<title\b[^<>]{0,200}>([^<]{0,500})</title", re.IGNORECASE)
_LONGEST: Final = 80


@dataclass(frozen=True)
class Documentation:
    """The documentation of one version; ``base`` is where people read it."""

    version: Version
    base: str = PAGES

    @staticmethod
    def belongs_to(version: Version) -> bool:
        """Tell whether a release of this version comes with documentation of its own."""
        return version.level in (Level.CANDIDATE, Level.FINAL)

    @property
    def url(self) -> str:
        """Return the address of its page."""
        return f"{self.base.rstrip('/')}/release/{self.version}/"

    @property
    def folder(self) -> str:
        """Return the address of the list of its archives."""
        return f"{FOLDER}{self.version}/"

    @property
    def archives(self) -> tuple[str, ...]:
        """Return the names of the archives that it has to have."""
        return tuple(name.format(version=self.version) for name in _ARCHIVES)

    def verify(self, page: str | None, listing: Collection[str] | None) -> Proven:
        """Take the page and the names in the list, None where there is none; raise NotProven for what is missing or of another version."""
        problems = [problem for problem in (self._of_page(page), self._of_listing(listing)) if problem]
        if problems:
            missing = sorted(set(self.archives) - set(listing)) if listing is not None else ()
            raise NotProven(problems[0], *problems[1:], *(f"not listed: {name}" for name in missing), self._purge())
        book = _BOOK.format(version=self.version)
        notes = () if book in (listing or ()) else (f"not listed, and not needed: {book}",)
        why = f"The documentation shows {self.version}, and its archives are listed."
        return Proven(why=why, diagnostics=(self.url, self.folder, *notes))

    def _of_listing(self, listing: Collection[str] | None) -> str:
        if listing is None:
            return f"The archives of the documentation are not on python.org: there is no folder {self.folder}."
        missing = set(self.archives) - set(listing)
        return (
            f"{len(missing)} of the {len(self.archives)} archives of the documentation are not listed in {self.folder}." if missing else ""
        )

    def _of_page(self, page: str | None) -> str:
        if page is None:
            return f"The documentation of {self.version} is not at {self.url}: put it there."
        found = _TITLE.search(page)
        title = " ".join(html.unescape(found[1]).split()) if found else ""
        # 3.15.0 is not shown by 3.15.0rc1, nor by 3.15.0+, which is a later state of the branch.
        if re.search(rf"(?<![\w.]){re.escape(str(self.version))}(?![\w+]|\.\d)", title):
            return ""
        shown = f"its title is “{title[:_LONGEST]}”" if title else "it has no title"
        return f"The page {self.url} does not show {self.version}: {shown}."

    def _purge(self) -> str:
        return f"Once it is right there, purge what is remembered of it: curl -X PURGE {self.url} {self.folder}"
