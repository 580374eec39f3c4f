"""In the moment before the push PyPI is read once more: what differs there is an alarm, what is missing may come back by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from bot.release import plan
from bot.release.facts import BuiltFile
from bot.release.model import Release, StepState
from bot.release.outcomes import Failed
from bot.services.pypi import Project, PublishedFile
from bot.steps import push
from bot.tools import Tools
from tests.release_builders import LATER, NOW
from tests.test_package_stages import a_tag, built, decided, to_decide

[FILE] = built(a_tag()).build.files


async def problem(published: tuple[PublishedFile, ...], release: Release, now: datetime = NOW) -> Failed | None:
    async def project(_name: str) -> Project:
        return Project(files=published)

    few = SimpleNamespace(
        pypi=SimpleNamespace(project=project),
        now=lambda: now,
        poll=lambda: LATER,
        profile=SimpleNamespace(timing=SimpleNamespace(remind=60.0)),
    )
    return await push._index_problem(release, cast("Tools", few))


def on_pypi(file: BuiltFile, sha256: str = "") -> PublishedFile:
    return PublishedFile(name=file.name, sha256=sha256 or file.sha256, size=file.size)


async def test_exactly_what_was_built_is_no_problem() -> None:
    assert await problem((on_pypi(FILE),), decided(to_decide())) is None


@pytest.mark.parametrize("extra", [on_pypi(FILE, "c" * 64), on_pypi(replace(FILE, name="azure_core-1.30.0-py3-none-any.whl"))])
async def test_anything_else_halts(extra: PublishedFile) -> None:
    found = await problem(tuple({FILE.name: on_pypi(FILE), extra.name: extra}.values()), decided(to_decide()))
    assert found is not None
    assert found.halt


async def test_what_is_missing_is_waited_for_and_then_somebody_is_asked() -> None:
    release = decided(to_decide())
    first = await problem((), release)
    assert first is not None
    assert (first.halt, first.retryable) == (False, True)
    after = plan.apply(release, "push", first, NOW)
    again = await problem((), after, NOW + timedelta(seconds=59))
    assert again is not None
    assert again.retryable
    late = await problem((), after, NOW + timedelta(seconds=61))
    assert late is not None
    assert not late.retryable
    waits = plan.apply(after, "push", late, NOW + timedelta(seconds=61))
    assert [act.step for act in waits.people if not act.done and act.step == "push"] == ["push"]
    assert waits.step("push") != StepState(name="push")
