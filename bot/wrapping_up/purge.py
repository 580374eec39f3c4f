"""Have the network in front of python.org forget what nobody else has it forget, so that everybody gets what is there now.

1. Which addresses those are, is data: ``FORGOTTEN_ALREADY`` is what the release tools purge themselves.
2. Only what was read when the publication was confirmed is purged: an address that was never there is never touched.
3. What the network does not forget is left to people, with the exact command.
"""

import hashlib
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from bot import publishing
from bot.effects import Nature
from bot.journal import Json
from bot.profile.types import StepName
from bot.publication.files import FTP, Companion, ExpectedFile, FileGroup
from bot.release.model import Release
from bot.release.published import Ended
from bot.release.version import Version
from bot.services.cdn import PYTHON_ORG, SOFTLY
from bot.tools import Tools
from bot.verify.docs import Documentation
from bot.verify.result import ProofName, Verdict
from bot.words.thanks import release_page
from bot.wrapping_up.piece import STEP, Left, Piece, tried

ITSELF: Final = ""
"""The file itself, among what lies beside it."""

SUFFIXES: Final = (ITSELF, *(companion.value for companion in Companion))

FORGOTTEN_ALREADY: Final[Mapping[FileGroup, frozenset[str]]] = {
    FileGroup.SOURCE: frozenset(SUFFIXES),
    FileGroup.WINDOWS_INSTALLER: frozenset({ITSELF, Companion.OPENPGP.value}),
    FileGroup.WINDOWS_EMBEDDABLE: frozenset({ITSELF, Companion.OPENPGP.value}),
    FileGroup.WINDOWS_MANIFEST: frozenset({ITSELF}),
}
"""What run_release.py and the Windows pipeline purge: https://github.com/python/release-tools. Of other groups they purge nothing."""

PAGES: Final = (f"{PYTHON_ORG}downloads/", f"{PYTHON_ORG}downloads/source/")
"""The pages that list every release. Those of other systems are ``/downloads/SYSTEM/``."""


async def purge(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Have everything forgotten that the rules name; nothing where nothing of this release was confirmed on python.org."""
    seen = release.publication
    if not tools.profile.wrap_up.purge or seen is None or not release.has_step(StepName.PUBLICATION):
        return ()
    found = await tools.python_org.release(release.version.tag_message)
    there = {one.url for one in (*seen.files, *release.later.files) if one.ended is Ended.READ}
    wanted = addresses(
        release.version,
        publishing.expected(release, tools.profile),
        there,
        page=release_page(found.slug) if found else "",
        documented=_documented(release),
    )
    return (await tried("network in front of python.org", _forgotten(wanted, tools), "", release_page(found.slug) if found else ""),)


def addresses(
    version: Version, expected: Iterable[ExpectedFile], there: Collection[str], *, page: str = "", documented: bool = False
) -> tuple[str, ...]:
    """Return what has to be forgotten of a release; nothing where nothing of it is ``there``.

    ``there`` are the addresses that were read, ``page`` is that of the release, and ``documented`` tells whether it has documentation of
    its own.
    """
    files = tuple(expected)
    found = tuple(_unforgotten(files, there))
    systems = sorted({file.system for file in files if file.url in there and not file.is_source})
    if not there:
        return ()
    docs = Documentation(version)
    own = (docs.url, docs.folder, *(f"{docs.folder}{name}" for name in docs.archives)) if documented else ()
    lists = (*PAGES, *(f"{PYTHON_ORG}downloads/{system}/" for system in systems), f"{FTP}{version.base}/")
    return tuple(dict.fromkeys((*found, *own, *([page] if page else []), *lists)))


def _unforgotten(files: Iterable[ExpectedFile], there: Collection[str]) -> Iterator[str]:
    for file in files:
        already = FORGOTTEN_ALREADY.get(file.group, frozenset())
        yield from (address for suffix in SUFFIXES if suffix not in already and (address := f"{file.url}{suffix}") in there)


def _documented(release: Release) -> bool:
    """Tell whether the documentation and each of its archives were proved to be there."""
    rows = (row for proved in release.proofs if proved.step == StepName.PUBLICATION for row in proved.results)
    return any(row.proof == ProofName.DOCS and row.verdict == Verdict.VERIFIED for row in rows)


async def _forgotten(wanted: tuple[str, ...], tools: Tools) -> str:
    if not wanted:
        return "nothing of this release lies there"

    async def do() -> Mapping[str, Json]:
        answers = await tools.cdn.forget(wanted)
        return {"answers": {address: status for address, status in answers.items() if status != HTTPStatus.OK}}

    # The list stands in the name as well: somebody may change the page of the release between two tries.
    name = f"purge {hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:12]}"
    result = await tools.door(STEP, name, nature=Nature.REPEATABLE, parameters={"addresses": list(wanted)}, do=do)
    return judged(wanted, result["answers"])


def judged(wanted: Collection[str], refused: Mapping[str, int]) -> str:
    """Say that all is forgotten; raise Left with one command for each address that is not, by the status of its answer."""
    if not refused:
        return f"has forgotten {len(wanted)} addresses of the release"
    commands = "\n".join(f"{command(address)}  # answered {status}" for address, status in refused.items())
    statuses = ", ".join(str(status) for status in sorted(set(refused.values())))
    raise Left(f"{len(refused)} of {len(wanted)} addresses were not forgotten (answered {statuses}); anybody can purge them.", commands)


def command(address: str) -> str:
    """Return the command by which a person has one address forgotten."""
    return f"curl -X PURGE -H '{SOFTLY}: 1' {shlex.quote(address)}"
