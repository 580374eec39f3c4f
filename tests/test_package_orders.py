"""Which runs a pinned order takes up: those of its commit with its variables, that somebody queued."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.azure.orders import as_ordered
from bot.azure.parameters import BUILD, Order
from bot.services.azure_devops.shapes import AzureRunId, DefinitionId, Identity, Run

COMMIT = "a" * 40
VARIABLES = {"Skip.TagRepository": "true"}
ORDER = Order(
    step="package-build",
    purpose=BUILD,
    ref="refs/heads/main",
    run_name="*",
    parameters={},
    resources={},
    commit=COMMIT,
    variables=VARIABLES,
)
RUN = Run(
    id=AzureRunId(7),
    name="20261120.1",
    definition=DefinitionId(983),
    status="inProgress",  # type: ignore[arg-type]  # of no interest here
    requested_by=Identity(id="1"),
    queued=datetime(2026, 11, 20, tzinfo=UTC),
    ref="refs/heads/main",
    commit=COMMIT,
    variables=VARIABLES,
    reason="manual",
)


def test_a_run_with_all_of_it_fits() -> None:
    assert ORDER.fits(RUN)
    assert ORDER.fits(replace(RUN, reason="", variables={"skip.tagrepository": "True", "Other": "1"}))


@pytest.mark.parametrize(
    "other",
    [
        {"commit": "b" * 40},
        {"ref": "refs/heads/other"},
        {"variables": {}},
        {"variables": {"Skip.TagRepository": "false"}},
        {"reason": "individualCI"},
    ],
)
def test_a_run_of_something_else_does_not(other: dict[str, Any]) -> None:
    assert not ORDER.fits(replace(RUN, **other))


def test_an_order_without_a_commit_takes_runs_by_their_parameters_alone() -> None:
    order = replace(ORDER, commit="", variables={}, parameters={"A": "true"})
    assert order.fits(replace(RUN, parameters={"A": "True"}, commit="b" * 40, reason="individualCI"))
    assert not order.fits(RUN)
    assert order.document.keys() == {"definition", "ref", "run_name", "parameters", "resources"}


def test_an_order_is_what_was_written_down_of_it() -> None:
    for order in (ORDER, replace(ORDER, commit="", variables={}, definition=DefinitionId(21))):
        assert as_ordered(order.step, order.purpose, dict(order.document)) == order


def told(**more: object) -> dict[str, object]:
    queued = "2026-11-20T12:00:00Z"
    plain = {
        "id": 7,
        "build_number": "1",
        "definition": {"id": 1},
        "status": "completed",
        "requested_by": {"id": "1"},
        "queue_time": queued,
    }
    return plain | more


def test_variables_are_read_from_the_text_in_which_they_are_written() -> None:
    runs = TypeAdapter(Run)
    assert runs.validate_python(told(parameters='{"A": "1"}', template_parameters={"B": "2"})).variables == {"A": "1"}
    assert runs.validate_python(told(parameters='{"A": "1"}')).parameters == {}
    assert runs.validate_python(told()).variables == {}
    with pytest.raises(ValidationError):
        runs.validate_python(told(parameters="{"))
