"""What can be wrong with a publication, how much each of it weighs, and how it is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from bot.publication.files import FTP
from bot.publication.purging import is_plain, purge
from bot.release.facts import Finding, Severity
from bot.release.quoting import unseen

CHECK: Final = "publication"


class Rule(StrEnum):
    """What can be wrong, in the order in which it is told; the value is the rule's name in findings."""

    PUBLISHED = "published"
    PRE_RELEASE = "pre-release mark"
    LATEST = "latest mark"
    ROW = "release data"
    MISSING = "missing files"
    UNKNOWN = "unknown files"
    LISTED_TWICE = "files listed twice"
    FILE_DATA = "file data"
    COMPANION = "companions"
    NOT_READ = "files not read"
    NOT_SERVED = "files not handed out"
    SIZE = "sizes"
    HASH = "hashes"
    NO_HASH = "no hash"
    NO_SHA256 = "no SHA-256"
    MANIFEST = "release manifest"
    BUILDER_HASH = "builder hash"
    NO_BUILDER_HASH = "no builder hash"
    SILENT_BUILDER = "silent builder"
    OPENPGP = "OpenPGP signatures"
    SIGSTORE = "Sigstore bundles"
    AUTHENTICODE = "Authenticode signatures"
    SBOM = "lists of parts"
    ARCHIVE = "archives"
    SAME_TAR = "equal archives"
    SOURCE_TREE = "sources of the tag"
    INSTALL_MANAGER = "install manager"
    NOT_PROVED = "not proved"
    NOT_ASKED = "not asked"


_RULES: Final[Mapping[Rule, tuple[Severity, str]]] = {
    Rule.PUBLISHED: (Severity.WAIVER, "python.org does not show the release"),
    Rule.PRE_RELEASE: (Severity.WAIVER, "The pre-release mark is wrong"),
    Rule.LATEST: (Severity.WAIVER, "The release is marked as the latest"),
    Rule.ROW: (Severity.ACKNOWLEDGE, "The data of the release is not what it usually is"),
    Rule.MISSING: (Severity.WAIVER, "Files are not listed on python.org"),
    Rule.UNKNOWN: (Severity.WAIVER, "Files are listed on python.org that this release does not have"),
    Rule.LISTED_TWICE: (Severity.WAIVER, "Files are listed more than once"),
    Rule.FILE_DATA: (Severity.ACKNOWLEDGE, "Files are not listed as they usually are"),
    Rule.COMPANION: (Severity.WAIVER, "Files are listed without what vouches for them, or with that of another file"),
    Rule.NOT_READ: (Severity.WAIVER, "Files were not read back"),
    Rule.NOT_SERVED: (Severity.WAIVER, "Files are listed but not handed out"),
    Rule.SIZE: (Severity.WAIVER, "Files do not have the size that python.org states"),
    Rule.HASH: (Severity.WAIVER, "Files do not have the hash that python.org states"),
    Rule.NO_HASH: (Severity.WAIVER, "python.org states no hash at all of files"),
    Rule.NO_SHA256: (Severity.ACKNOWLEDGE, "python.org states only the MD5 hash of files, which they have"),
    Rule.MANIFEST: (Severity.WAIVER, "The manifest of what the install manager installs cannot be understood"),
    Rule.BUILDER_HASH: (Severity.WAIVER, "Files are not those that were built"),
    Rule.NO_BUILDER_HASH: (
        Severity.ACKNOWLEDGE,
        "Nobody who builds told the hash of files, so nobody knows whether these are the built ones",
    ),
    Rule.SILENT_BUILDER: (Severity.EXPLAINED, "The hash of files could not be compared, because those who build these never tell it"),
    Rule.OPENPGP: (Severity.WAIVER, "OpenPGP signatures do not vouch for their files"),
    Rule.SIGSTORE: (Severity.WAIVER, "Sigstore bundles do not vouch for their files"),
    Rule.AUTHENTICODE: (Severity.WAIVER, "Windows would not, or should not, believe files"),
    Rule.SBOM: (Severity.WAIVER, "Lists of parts are not about their files"),
    Rule.ARCHIVE: (Severity.WAIVER, "Archives are not packed as they have to be"),
    Rule.SAME_TAR: (Severity.WAIVER, "The source archives do not hold the same files"),
    Rule.SOURCE_TREE: (Severity.WAIVER, "The source archives do not hold what the tag holds"),
    Rule.INSTALL_MANAGER: (Severity.WAIVER, "The install manager would not, or should not, install what the manifest names"),
    Rule.NOT_PROVED: (Severity.WAIVER, "Something that python.org hands out could not be proved"),
    Rule.NOT_ASKED: (Severity.WAIVER, "Something could not even be asked, because a key, a root or a file is missing here"),
}
"""How much each rule weighs, and how it begins its sentence."""

_MENDED: Final = (
    "Put the right files there, purge their addresses, so that everybody is handed what is there now, "
    "and say `/release retry publication`: files are not read again by the clock."
)

_ADVICE: Final[Mapping[Rule, str]] = dict.fromkeys(
    (
        *(Rule.NOT_SERVED, Rule.SIZE, Rule.HASH, Rule.MANIFEST, Rule.BUILDER_HASH, Rule.OPENPGP, Rule.SIGSTORE, Rule.AUTHENTICODE),
        *(Rule.SBOM, Rule.ARCHIVE, Rule.SAME_TAR, Rule.SOURCE_TREE, Rule.INSTALL_MANAGER),
    ),
    _MENDED,
)
"""What to do about that which is not noticed by itself once it is mended: unlike the list, files are not read again by the clock."""


_LONGEST: Final = 700
"""How many characters name what is wrong in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong by a rule; ``what`` names it in full, ``address`` is what has to be purged once it is mended."""

    rule: Rule
    what: str
    address: str = ""


def findings_of(problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Return at most one finding for each rule, in the order of the rules and without chance."""
    order = list(Rule)
    ordered = sorted(problems, key=lambda problem: (order.index(problem.rule), problem.what))
    grouped = groupby(ordered, key=lambda problem: problem.rule)
    return tuple(_finding(rule, tuple(same)) for rule, same in grouped)


def _finding(rule: Rule, problems: Sequence[Problem]) -> Finding:
    severity, sentence = _RULES[rule]
    lines = tuple(problem.what for problem in problems)
    advice = f" {_ADVICE[rule]}{_to_purge(problems)}" if rule in _ADVICE else ""
    what = f"{sentence}: {_some(lines).removesuffix('.')}.{advice}"
    return Finding(check=CHECK, rule=rule, severity=severity, what=what, count=len(lines), subject=lines)


def _to_purge(problems: Sequence[Problem]) -> str:
    """Return the command that purges exactly what is wrong; of more than can be read it is said how the rest is made."""
    addresses = [one for one in dict.fromkeys(problem.address for problem in problems) if is_plain(one)]
    fitting = [n for n in range(1, len(addresses) + 1) if len(purge(*addresses[:n])) <= _LONGEST]
    shown = max(fitting, default=0)
    rest = f", and the {len(addresses) - shown} more that are named above, with `{FTP}` before them" if shown < len(addresses) else ""
    return f" To purge: `{purge(*addresses[:shown])}`{rest}." if shown else ""


def _some(lines: tuple[str, ...]) -> str:
    """Return as many of the lines as can be read in one sentence; all of them are the subject of the finding."""
    fitting = [n for n in range(1, len(lines) + 1) if len("; ".join(lines[:n])) <= _LONGEST]
    shown = max(fitting, default=1)
    return "; ".join(lines[:shown]) + (f"; and {len(lines) - shown} more" if shown < len(lines) else "")


def named(url: str) -> str:
    """Return the name of a file on python.org, or the address of anything else."""
    return quoted(url.removeprefix(FTP))


def quoted(text: str) -> str:
    """Return what somebody typed as a code span, whole, so that an acknowledgement is for exactly this; the site takes 200 characters."""
    harmless = "".join("\N{REPLACEMENT CHARACTER}" if unseen(character) else character for character in text).replace("`", "'")
    return f"`{harmless}`" if harmless else "nothing"
