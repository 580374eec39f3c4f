"""Remember where the App is installed: asked often, changed rarely."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.release.ids import Repository
from bot.services.github import GitHub


class Installations:
    """The App's installation on each repository, as it was at most ``fresh_for`` seconds ago."""

    def __init__(self, github: GitHub, now: Callable[[], datetime], *, fresh_for: float) -> None:
        """Know nothing yet."""
        self._github = github
        self._now = now
        self._fresh_for = timedelta(seconds=fresh_for)
        self._known: dict[str, tuple[datetime, int | None]] = {}

    async def on(self, repository: Repository) -> int | None:
        """Return the id of the installation on a repository, or None where the App is not installed."""
        asked, known = self._known.get(repository.casefold(), (None, None))
        if asked is None or self._now() - asked >= self._fresh_for:
            known = await self._github.installation(repository)
            self._known[repository.casefold()] = (self._now(), known)
        return known

    def remembered(self, repository: Repository) -> int | None:
        """Return what is known without asking; None when nothing is."""
        return self._known.get(repository.casefold(), (None, None))[1]
