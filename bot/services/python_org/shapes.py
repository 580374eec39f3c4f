"""What python.org tells of a release, and what became of the download of one file.

The fields are those of https://github.com/python/pythondotorg/blob/main/apps/downloads/models.py. What people type there is kept as they
typed it, so that a mistake can be shown to them; only its kind is checked.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.errors import UserError


class AmbiguousRelease(UserError):
    """Several published releases bear the same name, so that nobody can tell which of them is meant."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One published release; ``version`` is its family (3 is Python 3, 100 the install manager), ``released`` is in UTC."""

    id: int
    name: str
    slug: str
    version: int
    is_published: bool
    is_latest: bool
    pre_release: bool
    show_on_download_page: bool
    released: datetime
    release_notes_url: str


@dataclass(frozen=True, kw_only=True)
class ReleaseFile:
    """One file of a release; ``name`` is its title on the page, ``os`` the slug of its system (``source`` for the sources).

    ``size`` is in bytes. Hashes are in small letters; hashes and the addresses of companions are empty where there are none.
    """

    id: int
    name: str
    slug: str
    os: str
    url: str
    size: int
    md5: str = ""
    sha256: str = ""
    is_source: bool = False
    download_button: bool = False
    description: str = ""
    gpg_signature: str = ""
    sigstore_bundle: str = ""
    sigstore_signature: str = ""
    sigstore_certificate: str = ""
    sbom: str = ""

    @property
    def file_name(self) -> str:
        """Return the last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """Every byte arrived; ``size`` is in bytes, the hashes are in small hexadecimal letters."""

    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Missing:
    """There is no such file (404 or 410).

    Do not ask again by the clock. The network in front of python.org remembers the absence for up to an hour, so asking for a file before
    it is there hides it from everybody once it is. Wait until the API names the file, or a person says that it is there and was purged.
    Sources: https://docs.fastly.com/en/guides/http-status-codes-cached-by-default, `default_ttl` in
    https://github.com/python/pythondotorg/blob/main/infra/cdn/main.tf, and the purges of
    https://github.com/python/release-tools/blob/main/run_release.py.
    """


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """The site definitely does not hand the file out; ``status`` is the HTTP status, 0 where nothing was asked, ``why`` a clause."""

    status: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Oversized:
    """The file is longer than ``limit`` bytes, where reading stopped."""

    limit: int


@dataclass(frozen=True, kw_only=True)
class Unread:
    """The file could not be read this time, and may be another time; ``retry_at`` is not before when, where the site said so."""

    why: str
    retry_at: datetime | None = None


Download = Downloaded | Missing | Withheld | Oversized | Unread


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Waits and bounds; times in seconds.

    ``timeout`` is for one request of the API; ``page_size`` and ``most`` count rows. Of ``concurrency`` downloads at once each may take
    ``whole``, is given up on after ``stall`` without a byte, and is tried ``attempts`` times, with ``backoff``, then twice as long, and
    so on between them.
    """

    timeout: float = 30.0
    page_size: int = 100
    most: int = 1000
    concurrency: int = 4
    attempts: int = 5
    backoff: float = 1.0
    stall: float = 60.0
    whole: float = 3600.0
