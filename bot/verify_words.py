"""Tell the report of a release: to people in 80 columns, to machines as one JSON object on each line."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from bot.release.quoting import unseen
from bot.verify.release_policy import ReleasePolicy
from bot.verify.report import Report
from bot.verify.result import Result, Verdict

WIDTH: Final = 80
"""Columns."""

_PROOF: Final = 16
_VERDICT: Final = 8
_INDENT: Final = 2 + _VERDICT + 1 + _PROOF + 1
_TOLD: Final = 12


def in_words(report: Report, policy: ReleasePolicy) -> str:
    """Return the report as a table, grouped by what it is about, and then what nobody looked at."""
    lines: list[str] = []
    for subject, results in report.by_subject().items():
        lines += [*_filled(subject, 0), *(line for result in results for line in _of_result(result)), ""]
    if report.not_asked:
        lines += ["Not asked:", *(line for sentence in report.not_asked for line in _filled(f"  - {sentence}", 4)), ""]
    lines += _filled(_conclusion(report, policy), 2)
    return "\n".join(lines) + "\n"


def in_json(report: Report, policy: ReleasePolicy) -> str:
    """Return every result as one object on a line of its own, and last the summary, which alone has the key ``results``.

    All of it is ASCII, so that a terminal has nothing to obey, and every machine can read it.
    """
    rows = [_row(result) for result in report.results]
    summary = {
        "version": str(policy.version),
        "kind": policy.kind.slug,
        "good": report.good,
        "results": {verdict.value: count for verdict, count in report.counts.items()},
        "bad": list(dict.fromkeys(result.subject for result in report.bad)),
        "not_asked": list(report.not_asked),
    }
    return "".join(json.dumps(row) + "\n" for row in (*rows, summary))


def short(verdict: Verdict) -> str:
    """Return a verdict in one word; what is not good stands out."""
    match verdict:
        case Verdict.VERIFIED:
            return "verified"
        case Verdict.ABSENT:
            return "absent"
        case Verdict.FAILED:
            return "FAILED"
        case Verdict.UNUSABLE:
            return "UNUSABLE"
        case _:
            assert_never(verdict)


def clean(text: str) -> str:
    """Return text of anyone without what a terminal would obey or a person would not see."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unseen(character) or not character.isprintable() else character for character in text)


def _row(result: Result) -> dict[str, object]:
    return {
        "subject": result.subject,
        "proof": result.proof.value,
        "verdict": result.verdict.value,
        "good": result.verdict.good,
        "why": result.why,
        "signer": result.signer,
        "diagnostics": list(result.diagnostics),
    }


def _of_result(result: Result) -> Iterator[str]:
    """Yield the lines of one result; what a person needs only to act on it stands below what is not good."""
    signer = f" Signer: {result.signer}." if result.signer and result.signer not in result.why else ""
    yield from _filled(f"  {short(result.verdict):<{_VERDICT}} {result.proof.value:<{_PROOF}} {result.why}{signer}", _INDENT)
    if result.verdict.good:
        return
    for line in result.diagnostics[:_TOLD]:
        yield from _filled(f"{'':<{_INDENT}}| {line}", _INDENT + 2)
    if more := len(result.diagnostics[_TOLD:]):
        yield f"{'':<{_INDENT}}| and {more} more, which --json tells"


def _conclusion(report: Report, policy: ReleasePolicy) -> str:
    proofs = sum(report.counts.values())
    if report.good:
        return f"{policy.name} ({policy.kind}): good in everything that was asked, {proofs} proofs."
    if not report.bad:
        return f"{policy.name} ({policy.kind}): NOT good, because nothing at all was proved."
    return f"{policy.name} ({policy.kind}): NOT good. {len(report.bad)} of {proofs} proofs did not succeed: {_named(report.bad)}."


def _named(results: Sequence[Result]) -> str:
    by_subject: dict[str, list[str]] = {}
    for result in results:
        by_subject.setdefault(result.subject, []).append(result.proof.value)
    return ", ".join(f"{subject} ({', '.join(dict.fromkeys(proofs))})" for subject, proofs in by_subject.items())


def _filled(text: str, indent: int) -> list[str]:
    return textwrap.wrap(clean(text), WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False, drop_whitespace=True) or [""]
