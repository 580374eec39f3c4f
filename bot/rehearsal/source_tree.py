"""Build the upstream repository of the world: real git history in which the rehearsed version is the natural next release."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.rehearsal.fast_import import Change, FastImport, Write, fast_import
from bot.rehearsal.release_edits import PATCHLEVEL, README, merged_news
from bot.rehearsal.repository import Identity, LocalRepository
from bot.rehearsal.tarball import SourceTarball
from bot.rehearsal.tree_content import (
    changed_docs,
    fixed_code,
    initial_files,
    new_series_files,
    placeholders,
    version_files,
    version_files_from_scratch,
    waiting_news,
    with_next_directive,
    workflow,
)
from bot.rehearsal.versions import Level, PythonVersion, Setting, WrongUse, follows, prior, releases_up_to, setting_for

CORE_DEVELOPER: Final = Identity(name="Core Developer", email="core@rehearsal.invalid")
"""Who made the past."""

_STEP: Final = timedelta(minutes=50)
"""How far apart two commits of the past are; it all happened within the last weeks."""

_LONG_AGO: Final = timedelta(days=40)
_FRESH: Final = timedelta(hours=3)
"""How old the last commits of every branch are: young enough not to look stale."""

_DOCS: Final = ("Doc/library/abc.rst", "Doc/library/json.rst", "Doc/c-api/float.rst")
"""Pages of the real tree that get a ``next`` directive."""


@dataclass(frozen=True, kw_only=True)
class SourceTree:
    """What was built: the heads by branch, and the setting they follow."""

    path: Path
    setting: Setting
    heads: dict[str, str]
    tags: tuple[str, ...]


class _Past:
    """The history while it is being written: one clock, and the newest commit of every branch."""

    def __init__(self, importing: FastImport, now: datetime) -> None:
        self._importing = importing
        self._when = now - _LONG_AGO
        self.now = now
        self.tips: dict[str, str] = {}

    def commit(self, branch: str, message: str, changes: Iterable[Change]) -> None:
        """Put one commit on a branch."""
        self._when += _STEP
        parents = [self.tips[branch]] if branch in self.tips else []
        self.tips[branch] = self._importing.commit(
            f"refs/heads/{branch}", message=f"{message}\n", by=CORE_DEVELOPER, when=self._when, changes=changes, parents=parents
        )

    def tag(self, branch: str, version: PythonVersion) -> None:
        """Tag the tip of a branch."""
        self._importing.tag(version.tag, target=self.tips[branch], message=f"Python {version}\n", by=CORE_DEVELOPER, when=self._when)

    def fork(self, branch: str, origin: str) -> None:
        """Start a branch where another one is."""
        self.tips[branch] = self.tips[origin]
        self._importing.branch(f"refs/heads/{branch}", self.tips[origin])

    def release(self, branch: str, version: PythonVersion) -> None:
        """Make a release of the past: its commit and its tag."""
        news = Write(path=version.news_path, content=merged_news(version, {}, self._when).encode())
        self.commit(branch, f"Python {version}", [*version_files_from_scratch(version), news])
        self.tag(branch, version)

    def come_to_the_present(self) -> None:
        """Let the next commits be fresh ones."""
        self._when = self.now - _FRESH


def small_tree(path: Path, version: PythonVersion, *beside: PythonVersion, now: datetime | None = None) -> SourceTree:
    """Build a small tree with main and the maintained branches in the bare repository at ``path``; ``beside`` is released there too."""
    setting = setting_for(version, *beside)
    repository = LocalRepository.create(path)
    with fast_import(repository) as importing:
        past = _Past(importing, now or datetime.now(UTC))
        _write_all_series(past, setting)
        past.come_to_the_present()
        for branch, state in setting.branches.items():
            _write_present(past, branch, state)
    return _built(repository, setting)


def tree_from_tarball(path: Path, tarball: Path, version: PythonVersion, *, now: datetime | None = None) -> SourceTree:
    """Build the branch of ``version`` from a real source tarball of the release before it.

    The base commit has exactly the tarball's files; the parts of the repository that tarballs lack (``Misc/NEWS.d``, ``.github``) come
    with later commits. Raise WrongUse when the tarball is bad, hostile, or not of a version that ``version`` can follow.
    """
    setting = setting_for(version)
    repository = LocalRepository.create(path)
    source = SourceTarball(tarball, keep=(README, *_DOCS))
    with fast_import(repository) as importing:
        past = _Past(importing, now or datetime.now(UTC))
        past.commit(version.branch, f"Python {prior(version)}", source.files())
        before = source.version()
        if not follows(version, before):
            raise WrongUse(
                f"{tarball.name} holds Python {before}, which {version} does not follow; "
                f"rehearse its successor or give the tarball of {prior(version)}."
            )
        past.tag(version.branch, before)
        if version.branch != "main":
            _write_a_main(past, version.branch, setting.branches["main"])
        past.come_to_the_present()
        _write_present_of_tarball(past, version.branch, before, source)
    present = {branch: state for branch, state in setting.branches.items() if branch in past.tips}
    return _built(repository, Setting(version=version, branches=present | {version.branch: before}, statuses=setting.statuses))


def _built(repository: LocalRepository, setting: Setting) -> SourceTree:
    refs = repository.refs("refs/heads", "refs/tags")
    return SourceTree(
        path=repository.path,
        setting=setting,
        heads={ref.removeprefix("refs/heads/"): target for ref, target in refs.items() if ref.startswith("refs/heads/")},
        tags=tuple(ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/")),
    )


def _write_all_series(past: _Past, setting: Setting) -> None:
    minors = sorted(int(branch.partition(".")[2]) for branch in setting.branches if branch != "main")
    newest = setting.branches["main"]
    for minor in [*minors, newest.minor]:
        start = PythonVersion(newest.major, minor, 0, Level.ALPHA, 0)
        if not past.tips:
            past.commit("main", "Begin", initial_files(start, past.now - _LONG_AGO))
        else:
            past.commit("main", f"Python {start}", new_series_files(start, past.now - _LONG_AGO))
        for release in releases_up_to(setting.branches.get(start.series, newest)):
            if not release.made_on_main and release.series not in past.tips:
                past.fork(release.series, "main")
            past.release("main" if release.made_on_main else release.series, release)
        if minor != newest.minor and start.series not in past.tips:
            past.fork(start.series, "main")


def _write_present(past: _Past, branch: str, state: PythonVersion) -> None:
    if state.released:
        past.commit(branch, f"Post {state}", version_files_from_scratch(state, state.suffix))
    past.commit(branch, "gh-140001: Let parrots rest", [*fixed_code(state.minor), *waiting_news(past.now - _FRESH)])
    past.commit(branch, "gh-140005: Document the plumage", changed_docs())


def _write_a_main(past: _Past, origin: str, state: PythonVersion) -> None:
    past.fork("main", origin)
    if state.released:
        past.release("main", state)
    past.commit("main", "Go on with the next series", version_files_from_scratch(state, state.suffix if state.released else ""))


def _write_present_of_tarball(past: _Past, branch: str, before: PythonVersion, source: SourceTarball) -> None:
    if README not in source.kept:
        message = f"The tarball of Python {before} has no {README}; choose a complete one."
        raise WrongUse(message)
    old = {path: content.decode(errors="surrogateescape") for path, content in source.kept.items()}
    past.commit(branch, f"Post {before}", version_files(before, before.suffix, old[PATCHLEVEL], old[README]))
    news = Write(path=before.news_path, content=merged_news(before, {}, past.now).encode())
    past.commit(branch, "Bring back what tarballs leave out", [*placeholders(), news, *workflow()])
    past.commit(branch, "gh-140001: Let parrots rest", waiting_news(past.now - _FRESH))
    past.commit(branch, "gh-140005: Document the plumage", [with_next_directive(path, old[path]) for path in _DOCS if path in old])
