"""What python.org lists of a release, and whether that and every byte behind it is what it has to be.

Only the list is ever polled, anonymously, and only files that are in it are asked for: the network in front of the site remembers that a
file is missing, so that asking too early hides it from everybody (https://docs.fastly.com/en/guides/http-status-codes-cached-by-default).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bot import fetching
from bot.profile import Profile
from bot.publication import (
    ExpectedFile,
    FileGroup,
    Published,
    SeriesFiles,
    compare,
    compare_with_builders,
    expected_files,
    named,
    put_off,
    vouching,
)
from bot.release.facts import Finding
from bot.release.model import Release
from bot.release.published import FileRead, Stated
from bot.services import python_org as site
from bot.shelf import Shelf
from bot.tools import Tools

NOTHING_READ = ""
"""What stands for the rows when nothing that was listed counts as read."""

UNREAD = "listed, but not read\n"
"""What stands before the rows of a list that is not worth reading yet."""

BEGUN = "listed, and read in part\n"
"""What stands before the rows of a list that was never read to its end, because something in it could not be read yet."""

ITSELF = "its own entry"
"""How the row of the release is called among those of its files."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What python.org lists: the release, None while it is not published, and its files."""

    release: site.Release | None
    files: tuple[site.ReleaseFile, ...] = ()

    @property
    def rows(self) -> str:
        """Return the digest of each row, one in each line and with its name, so that it can be told which of them changed."""
        if self.release is None:
            return NOTHING_READ
        return "\n".join([f"{_digest(self.release)} {ITSELF}", *sorted(f"{_digest(file)} {named(file.url)}" for file in self.files)])

    @property
    def stated(self) -> tuple[Stated, ...]:
        """Return what is stated of each file."""
        return tuple(Stated(url=one.url, size=one.size, md5=one.md5, sha256=one.sha256) for one in self.files)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One time of reading. While there is something ``unread``, nothing can be found; ``known`` need not be read at the next look."""

    unread: Mapping[str, site.Unread]
    known: tuple[FileRead, ...]
    findings: tuple[Finding, ...] = ()
    content: str = ""
    files: tuple[FileRead, ...] = ()


def _digest(row: site.Release | site.ReleaseFile) -> str:
    return hashlib.sha256(json.dumps(asdict(row), default=str, sort_keys=True).encode()).hexdigest()


async def listed(release: Release, tools: Tools) -> Listed:
    """Read what python.org lists for everybody: drafts are not published, whatever of them can be seen.

    Raises Unavailable, and AmbiguousRelease where several releases bear the name.
    """
    found = await tools.python_org.release(release.version.tag_message)
    return Listed(release=found, files=await tools.python_org.files(found) if found else ())


async def read(seen: Listed, known: Sequence[FileRead], release: Release, tools: Tools, shelf: Shelf | None = None) -> Reading:
    """Read everything that is listed to its end, but for what is known of this time of reading, and find what is wrong with it or the list.

    What vouches for a file is read as well. With a ``shelf`` everything is left on it, to be proved.
    """
    wanted = expected(release, tools.profile)
    listed_urls = {file.url for file in seen.files}
    manifests = {file.url for file in wanted if file.group is FileGroup.WINDOWS_MANIFEST} & listed_urls
    now = tools.now()
    # What lies here to be proved does not grow old: it counts only once all of it was read again.
    still = known if shelf else fetching.still(known, now - fetching.lasting(tools.profile.timing))
    fetched = await fetching.fetch(seen.files, manifests, still, tools.python_org, now, shelf)
    if fetched.unread:
        return Reading(unread=fetched.unread, known=fetched.known)
    published = Published(release=seen.release, files=seen.files, downloads=fetched.downloads, manifests=fetched.manifests)
    findings = (*compare(release.version, wanted, published), *compare_with_builders(wanted, published, release.builds))
    return Reading(unread={}, known=(), findings=findings, content=fetched.content, files=fetched.files)


def expected(release: Release, profile: Profile) -> tuple[ExpectedFile, ...]:
    """Return the files this release has or may have; those of work by hand that was put off may follow later."""
    policy = profile.series_of(release.version).files
    files = expected_files(release.version, release.kind, policy.policy if policy else SeriesFiles(groups=frozenset()))
    deferred = {deferral.name for deferral in release.deferrals}
    late = [work.file.format(version=release.version) for name, work in profile.hand.items() if name in deferred]
    return put_off(files, late)


def changes(confirmed: str, seen: Listed) -> tuple[str, ...]:
    """Return what is listed otherwise than in the rows that were confirmed."""
    before, now = by_name(confirmed), by_name(seen.rows)
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return tuple(f"{name} {'is gone' if name not in now else 'was changed' if name in before else 'is new'}" for name in names)


def asked_for(seen: Listed) -> int:
    """Return how many addresses are read."""
    return len({file.url for file in seen.files}) + len(vouching(seen.files))


def names(rows: str) -> tuple[str, ...]:
    """Return the files among confirmed rows."""
    return tuple(name.strip("`") for name in by_name(rows) if name != ITSELF)


def by_name(rows: str) -> Mapping[str, str]:
    """Return the digest of each row by the name of its file."""
    return {name: digest for digest, _, name in (line.partition(" ") for line in rows.splitlines())}
