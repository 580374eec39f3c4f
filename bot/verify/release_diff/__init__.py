"""Judge a release commit as pure code: what the release tools made of it, and what somebody else did."""

from bot.verify.release_diff.audit import CHECK, audit, too_much
from bot.verify.release_diff.guards import LARGEST_FILE
from bot.verify.release_diff.magic_number import magic_number_problem
from bot.verify.release_diff.model import Context, FileChange, Rule, TableRow, Verdict
from bot.verify.release_diff.post_release import POST_SUBJECT, UnexpectedContent, post_release
from bot.verify.release_diff.table import CPYTHON, RULES, AuditRow, UnknownRule

__all__ = [
    "CHECK",
    "CPYTHON",
    "LARGEST_FILE",
    "POST_SUBJECT",
    "RULES",
    "AuditRow",
    "Context",
    "FileChange",
    "Rule",
    "TableRow",
    "UnexpectedContent",
    "UnknownRule",
    "Verdict",
    "audit",
    "magic_number_problem",
    "post_release",
    "too_much",
]
