"""Confirm that PyPI has exactly the files that were built: each by name, size and hash, none besides, and the same a while later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.packages import on_pypi
from bot.packages.on_pypi import Seen
from bot.profile.types import StepName
from bot.release.counting import counted
from bot.release.facts import Build, Checked, ProofRow, Proved
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.tools import Tools, logins
from bot.verify.result import ProofName, Verdict

STEP: Final = StepName.PYPI
ON: Final = "PyPI"

_FIRST: Final = "first seen complete"
_SINCE: Final = "awaited since"


async def advance(release: Release, tools: Tools) -> Outcome:
    """Confirm what is on PyPI, or say what it lacks, and since when."""
    tag, build, before = release.tag, release.build(on_pypi.BUILDER), release.step(STEP)
    if tag is None or build is None:
        return Failed(why="Nothing was built that could be on PyPI.", retryable=True, look_again=tools.poll())
    if before.status is StepStatus.PASSED and release.retry != STEP:
        return Passed(why=before.why, evidence=before.evidence)
    seen = await on_pypi.look(release, tools)
    if seen.differs:
        return _otherwise(seen, release)
    if seen.missing:
        return _missing(seen, release, tools)
    first = _remembered(release, _FIRST) or tools.now()
    due = first + timedelta(seconds=tools.profile.timing.confirm_gap)
    if tools.now() < due:
        why = f"PyPI has exactly the files that were built; that has to stay so until {due:%Y-%m-%d %H:%M:%S} UTC and is then read again."
        return Waiting(on=ON, why=why, look_again=min(due, tools.poll()), evidence=(_moment(_FIRST, first),))
    checked = Checked(step=STEP, subject=tag.object, findings=await on_pypi.owner_findings(release, tools))
    return replace(_confirmed(build, release, first, tools), facts=(checked, _proved(build, tools)))


def _remembered(release: Release, what: str) -> datetime | None:
    """Return a moment that an earlier look wrote down."""
    text = next((one.value for one in release.step(STEP).evidence if one.what == what), "")
    return datetime.fromisoformat(text) if text else None


def _moment(what: str, at: datetime) -> Evidence:
    return Evidence(what=what, value=at.isoformat())


def _otherwise(seen: Seen, release: Release) -> Failed:
    """Halt: whatever it is that is public, it is not what was built and let go."""
    why = f"PyPI has something else than was built of {release.version.tag_message}: {' '.join(seen.differs)}"
    advice = (
        "The tag is not pushed. Find out who uploaded it; resume when PyPI has what was built, or recall the release, said by two persons."
    )
    return Failed(why=why, diagnostics=(advice,), retryable=False, halt=True)


def _missing(seen: Seen, release: Release, tools: Tools) -> Waiting | NeedsPerson:
    """Wait for what takes a while to appear, and call people after a patience."""
    since = _remembered(release, _SINCE) or tools.now()
    evidence = (_moment(_SINCE, since), *_rows(seen.missing))
    missing = ", ".join(seen.missing)
    if tools.now() < since + timedelta(seconds=tools.profile.timing.remind):
        return Waiting(on=ON, why=f"PyPI does not show {missing} yet.", look_again=tools.poll(), evidence=evidence)
    what = (
        f"The stage that releases {release.version.package} has ended well, and PyPI still does not show {missing}. See in the log of the "
        "run what became of the upload, and have it mended; I look again by myself."
    )
    return NeedsPerson(who=logins(tools.managers(release)), what=what, look_again=tools.poll(), evidence=evidence)


def _rows(missing: Sequence[str]) -> tuple[Evidence, ...]:
    return tuple(Evidence(what="missing", value=name) for name in missing)


def _confirmed(build: Build, release: Release, first: datetime, tools: Tools) -> Passed:
    version, now = release.version, tools.now()
    files = counted(len(build.files), "file that was built", "files that were built")
    why = (
        f"PyPI had exactly the {files} of {version.tag_message}, by name, size and SHA-256, at {first:%Y-%m-%d %H:%M:%S} and at "
        f"{now:%Y-%m-%d %H:%M:%S} UTC."
    )
    rows = (Evidence(what="read twice", value=f"{file.name} sha256:{file.sha256}") for file in build.files)
    page = Evidence(what="page of the release", value=version.tag_message, url=on_pypi.page(version))
    # The moment stays: while somebody has to take note of a finding, the step looks again and would begin anew without it.
    return Passed(why=why, evidence=(page, _moment(_FIRST, first), *rows))


def _proved(build: Build, tools: Tools) -> Proved:
    why = "PyPI lists it with the size and the SHA-256 that it was built with."
    rows = (ProofRow(subject=file.name, proof=ProofName.BUILDER, verdict=Verdict.VERIFIED, why=why) for file in build.files)
    return Proved(step=STEP, at=tools.now(), results=tuple(rows))
