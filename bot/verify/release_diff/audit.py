"""Audit a release commit: which changes are exactly what the release tools make, by which rule, and which are not. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from bot.release.facts import Finding, Place, Severity
from bot.release.quoting import shown
from bot.verify.release_diff.guards import GUARDS
from bot.verify.release_diff.model import Context, FileChange, TableRow, Verdict, waiver
from bot.verify.release_diff.news import NewsFragment, is_fragment
from bot.verify.release_diff.table import CPYTHON, filled_in, fits, rule_for, rule_named
from bot.verify.release_diff.text import added_lines, listed, runs_of

CHECK: Final = "audit"
NO_RULE: Final = "no-rule"
LIMIT: Final = "limit"

MOST_CHANGES: Final = 10_000
"""Changed files that are still examined; an alpha after a long pause has about two thousand."""
MOST_BYTES: Final = 128 * 1024 * 1024
"""Bytes of all old and new content together that are still examined."""

_ORDER: Final = (Severity.WAIVER, Severity.ACKNOWLEDGE, Severity.EXPLAINED)
_REASONS_TOLD: Final = 3
_RUNS_SHOWN: Final = 5
_MOST_PLACES: Final = 100


def audit(changes: Sequence[FileChange], context: Context, table: Iterable[TableRow] = CPYTHON) -> tuple[Finding, ...]:
    """Return one finding per rule and severity, the gravest first, always the same for the same changes.

    ``changes`` are those of the release commit against its parent, with old and new content. Raises UnknownRule for a table with a rule
    that does not exist. Never raises for what the changes hold.
    """
    rows = tuple(table)
    for row in rows:
        rule_named(row.rule)
    if limit := too_much(len(changes), sum(len(change.old or b"") + len(change.new or b"") for change in changes)):
        return (limit,)
    groups: dict[tuple[Severity, str], dict[str, Verdict]] = defaultdict(dict)
    for change in sorted(changes, key=lambda change: change.path):
        rule, verdict = _judge(change, context, changes, rows)
        groups[verdict.severity, rule][change.path] = verdict
    for path, rule in _missing(changes, context, rows):
        why = f"is not changed, but every release changes it: {context.version} is not complete"
        groups[Severity.WAIVER, rule][path] = waiver(why)
    for path in sorted(filter(is_fragment, context.leftover_fragments)):
        groups[Severity.WAIVER, NewsFragment.name][path] = waiver("is a news fragment that the release left over: run blurb again")
    ordered = sorted(groups, key=lambda group: (_ORDER.index(group[0]), group[1]))
    return tuple(_finding(severity, rule, groups[severity, rule]) for severity, rule in ordered)


def _judge(change: FileChange, context: Context, changes: Sequence[FileChange], table: Sequence[TableRow]) -> tuple[str, Verdict]:
    """Return the name of the guard or rule that decides, with its verdict."""
    for guard in GUARDS:
        if refused := guard.refuse(change, changes):
            return guard.name, refused
    rule = rule_for(change.path, context, table)
    if rule is None:
        why = "is not a file that a release changes: take the change out, or make it in a pull request of its own"
        return NO_RULE, waiver(why, added_lines(change.old, change.new) if change.new is not None else ())
    return rule.name, rule.verify(change, context, changes)


def too_much(count: int, size: int) -> Finding | None:
    """Return what is to be said of a commit that changes so many files, of so many bytes before and after together, or None."""
    if count <= MOST_CHANGES and size <= MOST_BYTES:
        return None
    what = (
        f"The commit changes {count} files with {size} bytes, more than can be examined ({MOST_CHANGES} files, {MOST_BYTES} bytes): "
        "check that it is built on the frozen head."
    )
    return Finding(check=CHECK, rule=LIMIT, severity=Severity.WAIVER, what=what, count=max(1, count))


def _missing(changes: Sequence[FileChange], context: Context, table: Sequence[TableRow]) -> list[tuple[str, str]]:
    """Return the paths, with their rules, that every release changes and this one does not."""
    changed = {change.path for change in changes}
    wanted = [(filled_in(row.path, context), row.rule) for row in table if rule_named(row.rule).required]
    return [(path, rule) for path, rule in wanted if not any(fits(other, path) for other in changed)]


def _finding(severity: Severity, rule: str, verdicts: dict[str, Verdict]) -> Finding:
    subject = tuple(sorted(verdicts))
    what = _told({path: verdict.why for path, verdict in verdicts.items()})
    places = () if severity is Severity.EXPLAINED else tuple(place for path in subject for place in _places(path, verdicts[path]))
    return Finding(check=CHECK, rule=rule, severity=severity, what=what, count=len(subject), subject=subject, places=places[:_MOST_PLACES])


def _places(path: str, verdict: Verdict) -> list[Place]:
    """Return where a person has to look in a file: the first runs of lines, or else its first line."""
    message = f"The file {shown(path, longest=200)} {verdict.why}."
    runs = runs_of(verdict.lines or (1,))
    rest = len(runs) - _RUNS_SHOWN
    more = f" The same holds for {rest} more places in this file." if rest > 0 else ""
    told = [*[message] * min(len(runs) - 1, _RUNS_SHOWN - 1), message + more]
    return [Place(path=path, line=first, last=last, message=one) for (first, last), one in zip(runs, told, strict=False)]


def _told(reasons: dict[str, str]) -> str:
    """Return one sentence on what was found, with a few examples where the reasons differ."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, why in reasons.items():
        paths[why].append(path)
    if len(paths) == 1:
        why = next(iter(paths))
        return f"{_subject(paths[why])} {why}."
    parts = [f"{_subject(named)} {why}" for why, named in paths.items()]
    rest = len(parts) - _REASONS_TOLD
    more = f"; and {rest} more reasons" if rest > 1 else "; and one more reason" if rest == 1 else ""
    return f"{'; '.join(part[0].lower() + part[1:] if index else part for index, part in enumerate(parts[:_REASONS_TOLD]))}{more}."


def _subject(paths: list[str]) -> str:
    if len(paths) == 1:
        return f"The file {shown(paths[0])}"
    return f"Each of {len(paths)} files ({listed([shown(path) for path in paths], limit=3)})"
