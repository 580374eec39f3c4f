"""README.rst: the sentence with the version, its underline, and the links to the series.

Source: ``tweak_readme`` in https://github.com/python/release-tools/blob/main/release.py. Two habits of its versions are both known here:
older ones rewrite the first two lines only and drop the newline at the end of the file, newer ones also rewrite the links and keep it.
"""

import re
from collections.abc import Sequence
from typing import Final

from bot.release.version import Level, Version
from bot.verify.release_diff.model import Context, FileChange, Verdict, explained, waiver
from bot.verify.release_diff.text import first_difference

PATH: Final = "README.rst"

_BEGINNING: Final = "This is Python version "
_LEVEL_WORDS: Final = {Level.ALPHA: " alpha", Level.BETA: " beta", Level.CANDIDATE: " release candidate", Level.FINAL: ""}
_SERIES: Final = rb"\d{1,3}\.\d{1,3}"
_NEWS_LINK: Final = re.compile(rb"%b <https://docs\.python\.org/%b/whatsnew/%b\.html>`_" % (_SERIES, _SERIES, _SERIES))
_DOCS_LINK: Final = re.compile(rb"`Documentation for Python %b <https://docs\.python\.org/%b/>`_" % (_SERIES, _SERIES))
_PEP_LINK: Final = re.compile(rb"`PEP \d{1,4} <https://peps\.python\.org/pep-\d{4}/>`__ for Python %b" % _SERIES)


class NoSentence(ValueError):
    """A README does not begin with the version sentence and its underline."""


def sentence(version: Version, suffix: str = "") -> bytes:
    """Return the first line of the README, such as ``This is Python version 3.15.0 alpha 3``."""
    level = f"{_LEVEL_WORDS[version.level]} {version.serial}" if version.is_prerelease else ""
    return f"{_BEGINNING}{version.base}{level}{suffix}".encode("ascii")


def with_sentence(readme: bytes, version: Version, suffix: str = "") -> bytes:
    """Return the README with its first line and the underline below it for this version.

    Raises NoSentence when the file does not begin with such a sentence, underlined by equals signs.
    """
    first, _, rest = readme.partition(b"\n")
    underline, newline, body = rest.partition(b"\n")
    if not first.startswith(_BEGINNING.encode()) or not underline or underline.strip(b"="):
        raise NoSentence("does not begin with its version sentence and an underline of equals signs")
    new = sentence(version, suffix)
    return b"\n".join([new, b"=" * len(new)]) + newline + body


def with_links(readme: bytes, series: str, pep: int | None) -> bytes:
    """Return the README with its links to the news, the documentation and the release PEP for this series; without ``pep`` that stays."""
    name = series.encode("ascii")
    readme = _NEWS_LINK.sub(b"%b <https://docs.python.org/%b/whatsnew/%b.html>`_" % (name, name, name), readme)
    readme = _DOCS_LINK.sub(b"`Documentation for Python %b <https://docs.python.org/%b/>`_" % (name, name), readme)
    if pep is None:
        return readme
    return _PEP_LINK.sub(b"`PEP %d <https://peps.python.org/pep-%04d/>`__ for Python %b" % (pep, pep, name), readme)


class Readme:
    """The whole file is the old one with the sentence, the underline and perhaps the links for this version."""

    name: Final = "readme"
    required: Final = True
    proves: Final = "the whole file is the old one with the sentence, its underline and the links of this version, byte for byte"

    def verify(self, change: FileChange, context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Compare the whole new file with what the release tools, older or newer, make of the old one."""
        if change.old is None or change.new is None:
            return waiver("is added or deleted: restore it")
        try:
            lines_only = with_sentence(change.old, context.version)
        except NoSentence as error:
            return waiver(f"cannot be recomputed, because before the change it {error}: compare it by hand")
        with_both = with_links(lines_only, context.series, context.pep)
        if _settled(change.new) in (_settled(lines_only), _settled(with_both)):
            return explained(f"names {context.version} in its first line and the links of {context.series}, and nothing else differs")
        line = first_difference(_settled(with_both), _settled(change.new))
        return waiver(f"is not what release.py makes of it for {context.version}, from line {line} on: bump the version again", [line])


def _settled(readme: bytes) -> bytes:
    """Return the README without the one newline at its end, which versions of the tool treat differently."""
    return readme.removesuffix(b"\n")
