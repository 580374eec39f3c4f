"""Whether a release is published as it has to be: which files it has on python.org, and whether those there are the right ones.

Data and rules only, without input or output.
"""

from bot.publication.builders import compare_with_builders
from bot.publication.comparison import Published, compare, compare_list, missing, vouching
from bot.publication.files import Companion, ExpectedFile, FileGroup, SeriesFiles, expected_files, put_off
from bot.publication.problems import CHECK, Problem, Rule, findings_of, named

__all__ = [
    "CHECK",
    "Companion",
    "ExpectedFile",
    "FileGroup",
    "Problem",
    "Published",
    "Rule",
    "SeriesFiles",
    "compare",
    "compare_list",
    "compare_with_builders",
    "expected_files",
    "findings_of",
    "missing",
    "named",
    "put_off",
    "vouching",
]
