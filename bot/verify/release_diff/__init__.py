"""Judge a release commit as pure code: what the release tools made of it, and what somebody else did."""

from bot.verify.release_diff.audit import CHECK, audit, too_much
from bot.verify.release_diff.bump import Development
from bot.verify.release_diff.guards import LARGEST_FILE
from bot.verify.release_diff.magic_number import magic_number_problem
from bot.verify.release_diff.merge import (
    VERSION_FILES,
    Fragments,
    Sides,
    of_a_prepared_merge,
    of_other_commits,
    of_the_fragments,
    of_the_merge,
    settled,
)
from bot.verify.release_diff.model import Context, FileChange, Rule, TableRow, Verdict
from bot.verify.release_diff.news import is_fragment
from bot.verify.release_diff.post_release import POST_SUBJECT, UnexpectedContent, post_release
from bot.verify.release_diff.table import BUMP, CPYTHON, RULES, AuditRow, UnknownRule

__all__ = [
    "BUMP",
    "CHECK",
    "CPYTHON",
    "LARGEST_FILE",
    "POST_SUBJECT",
    "RULES",
    "VERSION_FILES",
    "AuditRow",
    "Context",
    "Development",
    "FileChange",
    "Fragments",
    "Rule",
    "Sides",
    "TableRow",
    "UnexpectedContent",
    "UnknownRule",
    "Verdict",
    "audit",
    "is_fragment",
    "magic_number_problem",
    "of_a_prepared_merge",
    "of_other_commits",
    "of_the_fragments",
    "of_the_merge",
    "post_release",
    "settled",
    "too_much",
]
