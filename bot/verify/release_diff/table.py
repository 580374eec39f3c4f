"""Which rule judges which path: the rules by name, and CPython's table."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from bot.errors import UserError
from bot.release.quoting import shown
from bot.verify.release_diff.bump import EditedByHand, WhatsNewIndex, WhatsNewPage
from bot.verify.release_diff.directives import NextDirective, WhatsNewDate
from bot.verify.release_diff.generated import GeneratedLiteral, Regenerated
from bot.verify.release_diff.model import NEWS_FRAGMENTS, Context, Rule, TableRow
from bot.verify.release_diff.news import News, NewsFragment
from bot.verify.release_diff.patchlevel import PATH as PATCHLEVEL_PATH
from bot.verify.release_diff.patchlevel import Patchlevel
from bot.verify.release_diff.readme import PATH as README_PATH
from bot.verify.release_diff.readme import Readme

_ANY_FOLDERS: Final = "**"


class UnknownRule(UserError):
    """A table names a rule that does not exist."""


@dataclass(frozen=True)
class AuditRow:
    """One line of a table; see TableRow."""

    path: str
    rule: str


_ALL: Final[tuple[Rule, ...]] = (
    Patchlevel(),
    Readme(),
    News(),
    NewsFragment(),
    NextDirective(),
    WhatsNewDate(),
    GeneratedLiteral(),
    Regenerated(),
    EditedByHand(),
    WhatsNewPage(),
    WhatsNewIndex(),
)

RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in _ALL}
"""Every rule by the name that profiles use."""

CPYTHON: Final[tuple[AuditRow, ...]] = (
    AuditRow(PATCHLEVEL_PATH, Patchlevel.name),
    AuditRow(README_PATH, Readme.name),
    AuditRow("Misc/NEWS.d/{version}.rst", News.name),
    AuditRow(f"{NEWS_FRAGMENTS}**", NewsFragment.name),
    AuditRow("Lib/pydoc_data/topics.py", GeneratedLiteral.name),
    AuditRow("Lib/pydoc_data/module_docs.py", GeneratedLiteral.name),
    AuditRow("Doc/whatsnew/{series}.rst", WhatsNewDate.name),
    AuditRow("configure", Regenerated.name),
    AuditRow("aclocal.m4", Regenerated.name),
    AuditRow("pyconfig.h.in", Regenerated.name),
    AuditRow("config.guess", Regenerated.name),
    AuditRow("config.sub", Regenerated.name),
    AuditRow("install-sh", Regenerated.name),
    AuditRow("**/*.rst", NextDirective.name),
)
"""What the release tools of CPython touch (https://peps.python.org/pep-0101/); the first row that fits decides."""

BUMP: Final[tuple[AuditRow, ...]] = (
    AuditRow(PATCHLEVEL_PATH, Patchlevel.name),
    AuditRow(README_PATH, Readme.name),
    AuditRow("Doc/whatsnew/{series}.rst", WhatsNewPage.name),
    AuditRow("Doc/whatsnew/index.rst", WhatsNewIndex.name),
    *(AuditRow(f"Doc/tutorial/{page}.rst", EditedByHand.name) for page in ("interpreter", "stdlib", "stdlib2")),
    *(AuditRow(path, EditedByHand.name) for path in ("configure.ac", "configure", "aclocal.m4", "pyconfig.h.in")),
    AuditRow("Include/internal/pycore_magic_number.h", EditedByHand.name),
    AuditRow("PC/*", EditedByHand.name),
    *(AuditRow(f".github/ISSUE_TEMPLATE/{form}.yml", EditedByHand.name) for form in ("bug", "crash")),
)
"""What the commit touches that makes main the next version; ``{series}`` is the one that begins there."""


def rule_for(path: str, context: Context, table: Iterable[TableRow]) -> Rule | None:
    """Return the rule of the first row that fits the path, or None; raise UnknownRule for a row with a rule that does not exist."""
    for row in table:
        if fits(path, filled_in(row.path, context)):
            return rule_named(row.rule)
    return None


def rule_named(name: str) -> Rule:
    """Return a rule by its name; raise UnknownRule."""
    rule = RULES.get(name)
    if rule is None:
        raise UnknownRule(f"There is no audit rule {shown(name)}: use one of {', '.join(RULES)}.")
    return rule


def filled_in(pattern: str, context: Context) -> str:
    """Return the pattern with ``{version}`` and ``{series}`` filled in."""
    return pattern.replace("{version}", str(context.version)).replace("{series}", context.series)


def fits(path: str, pattern: str) -> bool:
    """Tell whether a path fits a pattern, in which ``*`` stands for anything within one name and ``**`` for any number of folders."""
    return _fits(tuple(path.split("/")), tuple(pattern.split("/")))


def _fits(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    """Follow every place at which the patterns may stand, name by name, in time proportional to the product of their numbers."""
    places = _after_folders({0}, patterns)
    for name in names:
        moved = {place + (patterns[place] != _ANY_FOLDERS) for place in places if place < len(patterns) and _admits(patterns[place], name)}
        places = _after_folders(moved, patterns)
    return len(patterns) in places


def _admits(pattern: str, name: str) -> bool:
    return pattern == _ANY_FOLDERS or fnmatchcase(name, pattern)


def _after_folders(places: set[int], patterns: tuple[str, ...]) -> set[int]:
    """Add the places behind each ``**``, which may stand for nothing."""
    reached = set(places)
    for place, pattern in enumerate(patterns):
        if place in reached and pattern == _ANY_FOLDERS:
            reached.add(place + 1)
    return reached
