"""All that one organisation of Azure DevOps knows, and how orders become runs."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from bot.rehearsal.azure_course import Contents, planned
from bot.rehearsal.azure_model import Checkout, Identity, JsonObject, Lease, Pipeline, Run
from bot.rehearsal.azure_pipeline import EARLIER, values
from bot.rehearsal.azure_problems import Invalid, NoSuchRun, Problem
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.moments import now

MAIN = "refs/heads/main"
"""The only branch of the pipeline's own repository that is used."""

PERMISSIONS = frozenset(
    {"View builds", "Queue builds", "Stop builds", "Edit build quality", "Retain indefinitely", "Edit queue build configuration"}
)
"""What the token's owner may do: https://learn.microsoft.com/en-us/azure/devops/organizations/security/permissions."""

_UNDERSTOOD = frozenset({"templateParameters", "resources", "previewRun", "variables"})


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """An order in which nothing is wrong."""

    parameters: dict[str, str]
    variables: dict[str, str]
    ref: str
    checkout: Checkout
    earlier: dict[str, str]


@dataclass(kw_only=True)
class Estate:
    """One organisation with one project."""

    chronicle: Chronicle
    pipelines: dict[int, Pipeline]
    organization: str = "Python"
    project: str = "cpython"
    url: str = ""
    """The organisation's address, once it is served."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(39))
    token_expired: bool = False
    bot: Identity = field(default_factory=lambda: Identity(login="brother-maynard@python.example", name="Brother Maynard"))
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    approvers: list[Identity] = field(default_factory=lambda: [Identity(login="zooba", name="Steve Dower")])
    runs: dict[int, Run] = field(default_factory=dict)
    leases: list[Lease] = field(default_factory=list)
    contents: Contents = field(default_factory=dict)
    requester_barred: bool = False
    """Whether nobody may approve what they queued themselves."""
    retry_after: int | None = None
    """Seconds for which every answer asks not to be asked again, also answers with status 200."""
    changed: Callable[[Run], None] = lambda _: None
    """Called after anything has happened to a run."""
    commit: str = field(default_factory=lambda: secrets.token_hex(20))
    numbers: Iterator[int] = field(default_factory=lambda: count(1_001))

    def run(self, number: str) -> Run:
        """Return a run; raises NoSuchRun."""
        run = self.runs.get(int(number)) if number.isdecimal() else None
        if run is None:
            raise NoSuchRun(number)
        return run

    def pipeline(self, number: str) -> Pipeline:
        """Return a pipeline; raises Problem."""
        pipeline = self.pipelines.get(int(number)) if number.isdecimal() else None
        if pipeline is None:
            raise Problem(404, "PipelineNotFoundException", f"Pipeline with id {number} was not found")
        return pipeline

    def checked(self, pipeline: Pipeline, order: JsonObject) -> Accepted:
        """Look an order over; raises Invalid for a wrong one. It may have to read the pipeline's repository, which blocks."""
        for key in order.keys() - _UNDERSTOOD:
            self.chronicle.violation(f"azure: an order of {pipeline.name} has {key}, which no release needs")
        given, wrong = values(pipeline, _texts(order.get("templateParameters")))
        variables = {name: str(_object(value).get("value", "")) for name, value in _object(order.get("variables")).items()}
        for name in variables.keys() - pipeline.needed:
            self.chronicle.violation(f"azure: an order of {pipeline.name} has the variable {name}, which no release needs")
        wrong += _wrong_variables(pipeline, variables)
        itself = _object(_object(_object(order.get("resources")).get("repositories")).get("self"))
        ref = str(itself.get("refName", MAIN))
        wrong += self._wrong_runs(pipeline, given, _pipelines(order))
        try:
            checkout = self._checkout(pipeline, ref, str(itself.get("version", "")))
        except LookupError as error:
            raise Invalid(*wrong, str(error.args[0])) from None
        if wrong:
            raise Invalid(*wrong)
        earlier = {alias: str(_object(named).get("version", "")) for alias, named in _pipelines(order).items()}
        return Accepted(parameters=given, variables=variables, ref=ref, checkout=checkout, earlier=earlier)

    def place(self, pipeline: Pipeline, order: JsonObject, who: Identity) -> Run:
        """Queue a run; raises Invalid."""
        return self.enter(pipeline, self.checked(pipeline, order), who)

    def enter(self, pipeline: Pipeline, order: Accepted, who: Identity) -> Run:
        """Queue a run after its order was looked over."""
        moment = now()
        start = f"{pipeline.naming.format_map({'SourceTag': 'main', **order.parameters})}{moment:%Y%m%d}."
        number = 1 + sum(run.name.startswith(start) for run in self.runs.values() if run.pipeline is pipeline)
        run = Run(
            id=next(self.numbers),
            name=f"{start}{number:0{pipeline.digits}d}",
            pipeline=pipeline,
            parameters=order.parameters,
            ref=order.ref,
            commit=order.checkout.commit,
            requested_by=who,
            queued=moment,
            stages=planned(order.checkout.stages, order.parameters),
            earlier=order.earlier,
            variables=order.variables,
        )
        self.runs[run.id] = run
        self.happened(f"run {run.id} ({run.name}) queued by {who.login}")
        return run

    def approver(self, login: str) -> Identity | None:
        """Return who in the list of approvers somebody is, or belongs to."""
        return next((each for each in self.approvers if each.stands_for(login)), None)

    def _checkout(self, pipeline: Pipeline, ref: str, version: str) -> Checkout:
        if pipeline.source is not None:
            return pipeline.source.at(ref, version)
        if ref != MAIN or version not in ("", self.commit):
            raise LookupError(f"Could not get the latest source version for repository {pipeline.repository} from branch {ref}.")
        return Checkout(commit=self.commit, stages=pipeline.stages)

    def happened(self, sentence: str) -> None:
        """Remember a change."""
        self.chronicle.happened(f"azure: {sentence}")

    def _wrong_runs(self, pipeline: Pipeline, given: Mapping[str, str], named: JsonObject) -> list[str]:
        """Say what is wrong with the earlier runs that are named; one that is needed and not named would be the newest of all."""
        runs = {run.name for run in self.runs.values() if run.pipeline is pipeline}
        wrong = [f"Unexpected pipeline resource '{alias}'" for alias in named if alias not in EARLIER.values()]
        for alias, resource in named.items():
            version = _object(resource).get("version")
            if version not in runs:
                wrong.append(f"Pipeline Resource {alias}: the version {version} could not be found.")
        for parameter, alias in EARLIER.items():
            if given.get(parameter) == alias and alias not in named:
                self.chronicle.violation(f"azure: an order has {parameter}, but does not name the run, so that the newest would be taken")
        return wrong


def _wrong_variables(pipeline: Pipeline, variables: Mapping[str, str]) -> list[str]:
    """Refuse what cannot be set when a run is queued: https://learn.microsoft.com/en-us/azure/devops/pipelines/process/variables."""
    wrong = ", ".join(name for name in variables if name not in pipeline.settable)
    return [f"You can't set the following variables ({wrong})."] if wrong else []


def _object(value: object) -> JsonObject:
    return dict(value) if isinstance(value, dict) else {}


def _pipelines(order: JsonObject) -> JsonObject:
    return _object(_object(order.get("resources")).get("pipelines"))


def _texts(value: object) -> dict[str, str]:
    return {name: str(text) for name, text in _object(value).items()}
