"""Annotations of check runs: GitHub takes fifty in one request, adds up those of all requests, and forgets none."""

from typing import Any

import pytest

from bot.release.ids import CommitId, Repository
from bot.services.github import GitHub
from bot.services.github.shapes import CheckRunDraft, CheckStatus, Conclusion
from bot.services.github.shapes_checks import AnnotationLevel, CheckAnnotation
from tests.github.answers import REPO
from tests.github.loopback import Answer, GitHubOnLoopback

CPYTHON = Repository("python/cpython")
SHA = CommitId("a" * 40)
RUN = {"id": 4, "name": "audit", "head_sha": SHA, "status": "completed", "output": {"annotations_count": 7}}


def draft(number: int) -> CheckRunDraft:
    lines = range(1, number + 1)
    return CheckRunDraft(
        name="audit",
        head=SHA,
        external_id="1",
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Audited",
        summary="It differs.",
        annotations=tuple(
            CheckAnnotation(path="README.rst", first=line, last=line, level=AnnotationLevel.FAILURE, message="It differs.")
            for line in lines
        ),
    )


def lines(body: Any) -> list[int]:
    return [one["start_line"] for one in body["output"].get("annotations", [])]


@pytest.mark.parametrize(("number", "sizes"), [(0, [0]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
async def test_a_new_check_run_takes_as_many_requests_as_its_annotations_need(
    server: GitHubOnLoopback, github: GitHub, number: int, sizes: list[int]
) -> None:
    server.on(f"POST {REPO}/check-runs", Answer(status=201, body=RUN))
    server.on(f"PATCH {REPO}/check-runs/4", Answer(body=RUN))
    made = await github.create_check_run(CPYTHON, draft(number))
    assert made.annotated == 7
    bodies: list[Any] = [asked.body for asked in server.asked if "/check-runs" in asked.path]
    assert [len(lines(body)) for body in bodies] == sizes
    assert [line for body in bodies for line in lines(body)] == list(range(1, number + 1))
    assert all(body["conclusion"] == "failure" for body in bodies)


@pytest.mark.parametrize(("annotated", "sent"), [(0, [50, 10]), (50, [10]), (60, [0]), (70, [0])])
async def test_only_what_is_not_there_yet_is_sent_again(server: GitHubOnLoopback, github: GitHub, annotated: int, sent: list[int]) -> None:
    server.on(f"PATCH {REPO}/check-runs/4", Answer(body=RUN))
    await github.update_check_run(CPYTHON, 4, draft(60), annotated=annotated)
    bodies = [asked.body for asked in server.requests(f"PATCH {REPO}/check-runs/4")]
    assert [len(lines(body)) for body in bodies] == sent
