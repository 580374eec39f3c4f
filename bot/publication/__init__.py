"""Whether a release is published as it has to be: which files it has on python.org, and whether those there are the right ones.

Data and rules only, without input or output.
"""

from bot.publication.comparison import CHECK, Published, Rule, compare
from bot.publication.files import SERIES, Companion, ExpectedFile, FileGroup, FilesUnknown, SeriesFiles, expected_files, files_of_series

__all__ = [
    "CHECK",
    "SERIES",
    "Companion",
    "ExpectedFile",
    "FileGroup",
    "FilesUnknown",
    "Published",
    "Rule",
    "SeriesFiles",
    "compare",
    "expected_files",
    "files_of_series",
]
