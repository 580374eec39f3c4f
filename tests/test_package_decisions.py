"""Which stage releases a package, and what it takes until its approvals are decided."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.azure.view import View
from bot.effects import Door
from bot.packages import stages
from bot.packages.rules import Artifact
from bot.packages.source import Listed
from bot.packages.stages import ReleaseStage
from bot.profile.package import PackagePipeline
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops.shapes import Approval, ApprovalId, ApprovalStatus, AzureRunId, PendingApproval, Stage, WorkState
from bot.tools import Tools
from tests.azure.test_turns import Ledger

CORE, MGMT = Artifact(name="azure-core", safe="azurecore"), Artifact(name="azure-mgmt-core", safe="azuremgmtcore")
PIPELINE = PackagePipeline(project="internal")
RUN = AzureRunId(7)
ASKED = ApprovalId("11111111-1111-1111-1111-111111111111")


def listed(*artifacts: Artifact) -> Listed:
    return Listed(service="core", artifact=CORE, artifacts=artifacts or (CORE, MGMT))


def view(*named: tuple[str, str]) -> View:
    shown = tuple(Stage(name=name, title=title, state=WorkState.PENDING) for name, title in named)
    return cast("View", SimpleNamespace(stages=shown, run=SimpleNamespace(id=RUN)))


def own(seen: View, of: Listed) -> str:
    one = stages.own(stages.of(seen, of, PIPELINE), of)
    return one.stage.name if one else ""


GOOD = (
    ("Build", "Build"),
    ("Test", "Test"),
    ("Release_azurecore", "Release: azure-core"),
    ("Release_azuremgmtcore", "Release: azure-mgmt-core"),
)


def test_exactly_one_stage_releases_the_package() -> None:
    assert own(view(*GOOD), listed()) == "Release_azurecore"
    assert own(view(*GOOD[:2], GOOD[3]), listed()) == ""


@pytest.mark.parametrize(
    ("named", "of"),
    [
        ((*GOOD, ("Other", "Release: azure-core")), listed()),
        ((*GOOD[:2], ("Release_azurecore", "Release: azure-mgmt-core")), listed()),
        (GOOD, listed(CORE, replace(MGMT, safe=CORE.safe))),
    ],
    ids=["two stages", "two packages in one stage", "two packages of one safe name"],
)
def test_where_nobody_can_tell_which_stage_it_is_there_is_none(named: tuple[tuple[str, str], ...], of: Listed) -> None:
    assert own(view(*named), of) == ""


def test_a_stage_that_only_calls_itself_like_the_package_is_none_of_it() -> None:
    seen = stages.of(view(*GOOD, ("Extra", "azure-core")), listed(), PIPELINE)
    assert [one.artifact for one in seen] == ["azure-core", "azure-mgmt-core", "stage azure-core"]
    assert own(view(*GOOD, ("Extra", "azure-core")), listed()) == "Release_azurecore"


@dataclass
class OneApproval:
    """Azure with one approval, which after the bot's word is in the state ``then``."""

    then: ApprovalStatus = ApprovalStatus.APPROVED
    run: AzureRunId | None = RUN
    refusal: AzureRefused | None = None
    status: ApprovalStatus = ApprovalStatus.PENDING
    told: list[bool] = field(default_factory=list)

    async def approvals(self, _ids: object) -> list[Approval]:
        await asyncio.sleep(0)
        values: dict[str, Any] = {"id": ASKED, "status": self.status, "created": datetime(2026, 11, 20, tzinfo=UTC), "run": self.run}
        return [Approval(**values)]

    async def decide(self, _approval: ApprovalId, _comment: str, *, approved: bool) -> None:
        await asyncio.sleep(0)
        self.told.append(approved)
        if self.refusal:
            raise self.refusal
        self.status = self.then


async def decided(azure: OneApproval, ledger: Ledger | None = None, *, approved: bool = True) -> bool:
    tools = SimpleNamespace(azure=azure, door=Door((ledger or Ledger()).of("one"), "one", 1))
    stage = Stage(name="Release_azurecore", title="Release: azure-core", state=WorkState.PENDING, approvals=(PendingApproval(id=ASKED),))
    one = ReleaseStage(artifact="azure-core", stage=stage)
    return await stages.decide(one, view(), cast("Tools", tools), approved=approved, comment="because")


async def test_an_approval_that_is_given_is_decided_and_given_once() -> None:
    azure, ledger = OneApproval(), Ledger()
    assert await decided(azure, ledger)
    assert await decided(azure, ledger)
    assert azure.told == [True]


async def test_what_somebody_decided_meanwhile_holds_and_nothing_is_sent() -> None:
    azure = OneApproval(status=ApprovalStatus.REJECTED)
    assert await decided(azure)
    assert azure.told == []


@pytest.mark.parametrize(
    "azure",
    [OneApproval(then=ApprovalStatus.PENDING), OneApproval(refusal=AzureRefused("no", status=403))],
    ids=["it takes others as well", "the bot may not after all"],
)
async def test_what_is_still_open_afterwards_is_never_told_as_done(azure: OneApproval) -> None:
    ledger = Ledger()
    assert not await decided(azure, ledger)
    assert not await decided(azure, ledger)
    assert azure.told == [True]


async def test_an_approval_of_another_run_is_never_touched() -> None:
    azure = OneApproval(run=AzureRunId(8))
    with pytest.raises(AzureRefused, match="is one of the run 8, and not of 7"):
        await decided(azure)
    assert azure.told == []
