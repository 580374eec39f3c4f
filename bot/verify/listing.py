"""Hold the list of a release's files against what its series and its kind have: none missing, none unknown."""

from collections.abc import Iterator, Sequence

from bot.publication import CHECK, ExpectedFile, Rule, compare_list, missing
from bot.release.facts import Severity
from bot.release.version import Version
from bot.services.python_org import ReleaseFile
from bot.verify.material import Choice, Material
from bot.verify.result import NotProven, ProofName, Proven, Result

_OF_FILES = (Rule.MISSING, Rule.UNKNOWN, Rule.LISTED_TWICE, Rule.COMPANION)
"""What is told of each file itself; what vouches for a file is told by the proof that needs it."""


class ExpectedFiles:
    """Proves that a release has its files: all of them, or those that are asked about."""

    def __init__(self, version: Version, expected: Sequence[ExpectedFile], choice: Choice) -> None:
        """Expect these files, as far as they are asked about."""
        self._version = version
        self._all = expected
        self._choice = choice
        self._expected = [file for file in expected if choice.takes(file.name)]

    def results(self, material: Material) -> tuple[Result, ...]:
        """Return a result for each file that is wrongly listed or not, and one for the release, unless it has wrong files only, or none."""
        rows = [file.row for file in material.files]
        if material.asked_site and material.release is None:
            why = f"python.org does not show {self._name}: no published release has this name, so check the version, or publish it."
            return (self._failed(self._name, why),)
        wrong = tuple(self._of_files(rows))
        whole = material.asked_site and not self._choice.patterns
        release, remarks = self._of_rows(material, rows) if whole else ((), ())
        return wrong + release if wrong or release or not rows else (self._all_right(rows, remarks),)

    @property
    def _name(self) -> str:
        return self._version.tag_message

    def _all_right(self, rows: Sequence[ReleaseFile], remarks: tuple[str, ...]) -> Result:
        files = "its 1 file" if len(rows) == 1 else f"its {len(rows)} files"
        why = f"python.org lists {files}, and no others."
        if self._choice.patterns:
            why = "python.org lists every file that is asked about: " + ", ".join(row.file_name for row in rows) + "."
        return Result.of(self._name, ProofName.LISTED, Proven(why=why, diagnostics=remarks))

    def _of_files(self, rows: Sequence[ReleaseFile]) -> Iterator[Result]:
        known = {file.url for file in self._all}
        urls = [row.url for row in rows]
        for file in missing(self._expected, rows):
            yield self._failed(file.name, f"python.org does not list {file.name}, which {self._name} has to have: publish it.")
        for row in {row.url: row for row in rows}.values():
            if row.url not in known:
                yield self._failed(row.file_name, f"python.org lists {row.file_name}, which such a release does not have.", row.url)
            if urls.count(row.url) > 1:
                yield self._failed(row.file_name, f"python.org lists {row.file_name} {urls.count(row.url)} times.", row.url)

    def _of_rows(self, material: Material, rows: Sequence[ReleaseFile]) -> tuple[tuple[Result, ...], tuple[str, ...]]:
        """Return what is wrong with how the release is shown, and what is merely unusual."""
        findings = compare_list(self._version, self._all, material.release, rows)
        findings = tuple(finding for finding in findings if finding.check == CHECK and finding.rule not in _OF_FILES)
        failed = tuple(self._failed(self._name, one.what, *one.subject) for one in findings if one.severity is Severity.WAIVER)
        return failed, tuple(one.what for one in findings if one.severity is not Severity.WAIVER)

    @staticmethod
    def _failed(subject: str, why: str, *diagnostics: str) -> Result:
        return Result.of(subject, ProofName.LISTED, NotProven(why, *diagnostics))
