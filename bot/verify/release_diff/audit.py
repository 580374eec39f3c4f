"""Audit a release commit: which changes are exactly what the release tools make, by which rule, and which are not. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from bot.release.facts import Finding, Severity
from bot.release.quoting import shown
from bot.verify.release_diff.guards import GUARDS
from bot.verify.release_diff.model import Context, FileChange, TableRow, Verdict, waiver
from bot.verify.release_diff.news import NewsFragment, is_fragment
from bot.verify.release_diff.table import CPYTHON, filled_in, fits, rule_for, rule_named
from bot.verify.release_diff.text import listed

CHECK: Final = "audit"
NO_RULE: Final = "no-rule"
LIMIT: Final = "limit"
CHERRY_PICKED: Final = "cherry-picked"

MOST_CHANGES: Final = 10_000
"""Changed files that are still examined; an alpha after a long pause has about two thousand."""
MOST_BYTES: Final = 128 * 1024 * 1024
"""Bytes of all old and new content together that are still examined."""

_ORDER: Final = (Severity.WAIVER, Severity.ACKNOWLEDGE, Severity.EXPLAINED)
_REASONS_TOLD: Final = 3


def audit(changes: Sequence[FileChange], context: Context, table: Iterable[TableRow] = CPYTHON) -> tuple[Finding, ...]:
    """Return one finding per rule and severity, the gravest first, always the same for the same changes.

    ``changes`` are those of the release commit against its parent, with old and new content. Raises UnknownRule for a table with a rule
    that does not exist. Never raises for what the changes hold.
    """
    rows = tuple(table)
    for row in rows:
        rule_named(row.rule)
    if too_much := _too_much(changes):
        return (too_much,)
    groups: dict[tuple[Severity, str], dict[str, str]] = defaultdict(dict)
    for change in sorted(changes, key=lambda change: change.path):
        rule, verdict = _judge(change, context, changes, rows)
        groups[verdict.severity, rule][change.path] = verdict.why
    for path, rule in _missing(changes, context, rows):
        groups[Severity.WAIVER, rule][path] = f"is not changed, but every release changes it: {context.version} is not complete"
    for path in sorted(filter(is_fragment, context.leftover_fragments)):
        groups[Severity.WAIVER, NewsFragment.name][path] = "is a news fragment that the release left over: run blurb again"
    if context.cherry_picked and (merged := [path for path in _deleted(changes) if is_fragment(path)]):
        why = "is news of this cherry-picked release: delete it on the branch after the push, where it stays otherwise"
        groups[Severity.ACKNOWLEDGE, CHERRY_PICKED] = dict.fromkeys(merged, why)
    ordered = sorted(groups, key=lambda group: (_ORDER.index(group[0]), group[1]))
    return tuple(_finding(severity, rule, groups[severity, rule]) for severity, rule in ordered)


def _judge(change: FileChange, context: Context, changes: Sequence[FileChange], table: Sequence[TableRow]) -> tuple[str, Verdict]:
    """Return the name of the guard or rule that decides, with its verdict."""
    for guard in GUARDS:
        if why := guard.refuse(change, changes):
            return guard.name, waiver(why)
    rule = rule_for(change.path, context, table)
    if rule is None:
        return NO_RULE, waiver("is not a file that a release changes: take the change out, or make it in a pull request of its own")
    return rule.name, rule.verify(change, context, changes)


def _too_much(changes: Sequence[FileChange]) -> Finding | None:
    size = sum(len(change.old or b"") + len(change.new or b"") for change in changes)
    if len(changes) <= MOST_CHANGES and size <= MOST_BYTES:
        return None
    what = (
        f"The commit changes {len(changes)} files with {size} bytes, more than can be examined ({MOST_CHANGES} files, {MOST_BYTES} bytes): "
        "check that it is built on the frozen head."
    )
    return Finding(check=CHECK, rule=LIMIT, severity=Severity.WAIVER, what=what, count=max(1, len(changes)))


def _missing(changes: Sequence[FileChange], context: Context, table: Sequence[TableRow]) -> list[tuple[str, str]]:
    """Return the paths, with their rules, that every release changes and this one does not."""
    changed = {change.path for change in changes}
    wanted = [(filled_in(row.path, context), row.rule) for row in table if rule_named(row.rule).required]
    return [(path, rule) for path, rule in wanted if not any(fits(other, path) for other in changed)]


def _deleted(changes: Sequence[FileChange]) -> list[str]:
    return sorted(change.path for change in changes if change.deletes)


def _finding(severity: Severity, rule: str, reasons: dict[str, str]) -> Finding:
    subject = tuple(sorted(reasons))
    return Finding(check=CHECK, rule=rule, severity=severity, what=_told(reasons), count=len(subject), subject=subject)


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
