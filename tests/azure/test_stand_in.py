"""The stand-in is strict, and an unchanged client of Microsoft's, which knows nothing of the bot, finds its way in it."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from bot.rehearsal.azure import Azure
from bot.rehearsal.azure_official import OfficialAzure
from bot.rehearsal.azure_pipeline import values, windows_release
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.world import World
from bot.services.azure_devops import AzureDevOps
from tests.azure.test_runs import MAIN, ORDER, WINDOWS
from tests.reference import reference

ACCEPT = {"Accept": "application/json;api-version=7.1"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_the_unchanged_client_finds_its_way(azure: Azure, client: AzureDevOps, chronicle: Chronicle) -> None:
    run = await client.queue_run(WINDOWS, ORDER, MAIN)

    def ask() -> str:
        from azure.devops.connection import Connection  # noqa: PLC0415 - after the bot has loaded it, with its own folder
        from azure.devops.credentials import BasicAuthentication  # noqa: PLC0415 - the same

        builds = Connection(base_url=azure.url, creds=BasicAuthentication("", azure.token)).clients.get_build_client()
        name = str(builds.get_build("cpython", run).build_number)
        builds._client.close()
        return name

    assert await asyncio.to_thread(ask) == azure.runs[0].name
    assert chronicle.counts["GET /{organization}/_apis/ResourceAreas"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/cpython/_apis/git/repositories", None, 404, "not documented, or not needed by any release"),
        ("PATCH", "/cpython/_apis/pipelines/approvals", [{"status": "approved"}], 400, None),
        ("PATCH", "/cpython/_apis/pipelines/approvals", [{"approvalId": UNKNOWN, "status": "approved"}], 404, None),
        ("GET", "/peps/_apis/build/builds", None, 404, "not documented, or not needed by any release"),
        ("PATCH", "/cpython/_apis/build/builds/1001", {"keepForever": True}, 400, "otherwise than by cancelling it"),
        (
            "POST",
            "/cpython/_apis/pipelines/21/preview",
            {"variables": {"SkipTests": {"value": "1"}}},
            200,
            "has the variable SkipTests, which no release",
        ),
        ("POST", "/cpython/_apis/pipelines/21/preview", None, 400, None),
        ("POST", "/cpython/_apis/pipelines/21/runs", {"previewRun": True}, 200, None),
        ("POST", "/cpython/_apis/pipelines/21/runs", b"no json", 400, "a body that is no JSON"),
        ("PATCH", "/cpython/_apis/build/builds/1001/stages/Build", {"state": "cancel"}, 400, None),
        ("GET", "/cpython/_apis/pipelines/approvals?approvalIds=a", None, 200, None),
        ("GET", "/cpython/_apis/build/retention/leases?ownerId=a&runId=1001", None, 400, None),
    ],
)
async def test_what_no_release_needs_is_noticed(
    azure: Azure, chronicle: Chronicle, method: str, path: str, body: object, status: int, said: str | None
) -> None:
    azure.queue("zooba", {"SourceTag": "main"})
    async with aiohttp.ClientSession(headers={**ACCEPT, "Authorization": aiohttp.encode_basic_auth("", azure.token)}) as session:
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        answer = await session.request(method, azure.url + path, **content)
        assert answer.status == status
        assert len(azure.runs) == 1
    assert said is None or any(said in violation for violation in chronicle.violations)
    chronicle.violations.clear()


async def test_the_bot_is_told_where_the_world_has_its_azure(tmp_path: Path) -> None:
    async with World(tmp_path / "world") as world:
        told = world.environment()
        client = AzureDevOps(told["AZURE_DEVOPS_URL"], told["AZURE_DEVOPS_TOKEN"], project="cpython", cache=tmp_path / "cache")
        run = await client.queue_run(WINDOWS, ORDER, MAIN)
        assert world.azure.advance(run)
        assert world.log[-1] == f"azure: run {run} ({world.azure.runs[0].name}) queued by brother-maynard@python.example"
        assert world.writes == 1
        assert not world.violations


async def test_who_is_not_signed_in_gets_a_page_or_a_refusal(azure: Azure, chronicle: Chronicle) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{azure.url}/cpython/_apis/build/builds") as answer:
            assert (answer.status, answer.content_type) == (203, "text/html")
        async with session.get(f"{azure.url}/cpython/_apis/build/builds", headers={"X-TFS-FedAuthRedirect": "Suppress"}) as answer:
            assert answer.status == 401
    assert [violation.rpartition(" was ")[2] for violation in chronicle.violations] == ["asked without the token"] * 2
    chronicle.violations.clear()


@pytest.fixture
def official() -> OfficialAzure:
    return OfficialAzure(*(reference(f"specs/azure/{name}.json") for name in ("build", "pipelines", "pipelinesapproval")))


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "said"),
    [
        ("GET", "/Python/cpython/_apis/build/builds", {"definitions": "21", "minTime": "2026-11-20T00:00:00Z"}, None, None),
        ("GET", "/Python/cpython/_apis/build/builds/7/timeline", {}, None, None),
        ("GET", "/Python/cpython/_apis/build/retention/leases", {"ownerId": "a"}, None, None),
        ("PATCH", "/Python/cpython/_apis/build/builds/7", {"retry": "true"}, {"status": "cancelling"}, None),
        ("POST", "/Python/cpython/_apis/pipelines/21/runs", {}, {"templateParameters": {"DoMSI": "true"}}, None),
        (
            "POST",
            "/Python/cpython/_apis/pipelines/21/runs",
            {},
            {"templateParameters": {"DoMSI": True}},
            "body.templateParameters.DoMSI: True",
        ),
        ("POST", "/Python/cpython/_apis/pipelines/21/runs", {}, {"parameters": {}}, "body.parameters is not described"),
        ("POST", "/Python/cpython/_apis/build/retention/leases", {}, [{"owner": "a"}], "body[0].owner is not described"),
        ("POST", "/Python/cpython/_apis/pipelines/21/runs", {}, None, "a body is missing"),
        ("GET", "/Python/cpython/_apis/build/builds", {}, {"a": 1}, "a body was sent"),
        ("GET", "/Python/cpython/_apis/build/builds", {"name": "a"}, None, "the query parameter name is not described"),
        ("GET", "/Python/cpython/_apis/build/builds", {"queryOrder": "byName"}, None, "the query parameter queryOrder: 'byName'"),
        ("GET", "/Python/cpython/_apis/build/builds", {"$top": "many"}, None, "the query parameter $top: 'many' is not of type 'integer'"),
        ("GET", "/Python/cpython/_apis/build/builds/seven", {}, None, "the path parameter buildId: 'seven'"),
        ("GET", "/Python/cpython/_apis/build/bananas", {}, None, "is not described"),
    ],
)
def test_requests_are_held_against_the_descriptions(
    official: OfficialAzure, method: str, path: str, query: dict[str, str], body: object, said: str | None
) -> None:
    problems = official.check_request(method, path, query, body, version=True)
    assert problems == [] if said is None else said in problems[0]


def test_a_version_must_be_asked_for(official: OfficialAzure) -> None:
    path = "/Python/cpython/_apis/build/builds"
    assert official.check_request("GET", path, {"api-version": "7.1"}, None, version=False) == []
    assert official.check_request("GET", path, {}, None, version=False) == ["the query parameter api-version is missing"]


def test_answers_are_held_against_the_descriptions(official: OfficialAzure) -> None:
    path = "/Python/cpython/_apis/build/builds"
    assert official.check_response("GET", path, {}, {"count": 0, "value": []}) == []
    assert official.check_response("PATCH", f"{path}/7/stages/Sign", {}, None) == []
    assert official.check_response("GET", path, {}, {"value": [{"id": "7"}]})[0] == "the list is not wrapped as the service wraps lists"
    assert official.check_response("GET", path, {}, {"count": 1, "value": [{"id": "7"}]}) == ["body[0].id: '7' is not of type 'integer'"]


def test_without_the_real_pipeline_there_is_its_outline() -> None:
    outline = windows_release(None, None)
    assert [stage.name for stage in outline.stages] == ["Build", "Sign", "Layout", "Pack", "Test", "Publish"]
    assert values(outline, {"Anything": "goes"}) == ({"Anything": "goes"}, [])
