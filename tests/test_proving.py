"""What is said of one file lets nothing that could not be proved of another one pass."""

import pytest

from bot.proving import findings
from bot.publication import Problem, Rule, findings_of
from bot.verify.report import Report
from bot.verify.result import NotProven, ProofName, Result

TGZ, PKG = "Python-3.15.0a3.tgz", "python-3.15.0a3-macos11.pkg"
NOT_THERE = Result.of(TGZ, ProofName.BYTES, NotProven("it is not here"))


def rules(result: Result, *known: Problem, others: tuple[Result, ...] = ()) -> list[str]:
    """Return by which rules a release is held for this result, where this is known of list and bytes already."""
    return [finding.rule for finding in findings(Report(results=(result, *others)), findings_of(known))]


def test_the_same_is_not_told_twice() -> None:
    wrong = Problem(rule=Rule.HASH, what=f"`3.15.0/{TGZ}`: SHA-256 is another")
    assert rules(NOT_THERE, wrong) == []
    assert rules(Result.of(TGZ, ProofName.BUILDER, NotProven("no")), Problem(rule=Rule.BUILDER_HASH, what=f"`3.15.0/{TGZ}`: no")) == []
    assert rules(Result.of(PKG, ProofName.LISTED, NotProven("no")), Problem(rule=Rule.MISSING, what=PKG)) == []


@pytest.mark.parametrize(
    "known",
    [
        Problem(rule=Rule.FILE_DATA, what=f"{TGZ}: system is `spam` instead of source"),
        Problem(rule=Rule.UNKNOWN, what=f"`3.15.0/spam/{TGZ}`"),
        Problem(rule=Rule.NOT_SERVED, what=f"`3.15.0/{TGZ}.sigstore`: there is no such file"),
        Problem(rule=Rule.HASH, what=f"`3.15.0/another-{TGZ}`: SHA-256 is another"),
        Problem(rule=Rule.BUILDER_HASH, what=f"`3.15.0/{TGZ}`: SHA-256 is another"),
        Problem(rule=Rule.SILENT_BUILDER, what=f"`3.15.0/{TGZ}`: SHA-256 is"),
    ],
)
def test_something_else_that_names_the_file_hides_nothing(known: Problem) -> None:
    assert rules(NOT_THERE, known) == [Rule.NOT_PROVED]


def test_of_two_files_with_one_name_neither_hides_the_other() -> None:
    wrong = Problem(rule=Rule.HASH, what=f"`3.15.0/spam/{TGZ}`: SHA-256 is another")
    assert rules(NOT_THERE, wrong, others=(NOT_THERE,)) == [Rule.NOT_PROVED]
