"""Azure DevOps as a story sees it: what people do there by hand, and what happens by itself."""

from collections.abc import Iterable, Mapping

from bot.rehearsal import azure_course as course
from bot.rehearsal.azure_estate import Estate
from bot.rehearsal.azure_hooks import ServiceHooks
from bot.rehearsal.azure_model import Identity, Lease, Pipeline, Run, Stage
from bot.rehearsal.azure_official import OfficialAzure
from bot.rehearsal.azure_pipeline import NUMBER, windows_release
from bot.rehearsal.azure_server import AzureServer
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.post import Pace
from bot.rehearsal.reference import AzureSpecs


class Azure:
    """The organisation Python with the project cpython and the pipeline that makes the Windows release, unless it is made another one."""

    def __init__(self, chronicle: Chronicle, specs: AzureSpecs, pace: Pace | None = None) -> None:
        """Begin without runs."""
        pipeline = windows_release(specs.parameters, specs.stages)
        official = OfficialAzure(*specs.descriptions) if specs.descriptions else None
        self.hooks = ServiceHooks(pace or Pace(seed=0, time_out=10.0, patience=0.1))
        """Who is told of what happens, and what became of it."""
        self.estate = Estate(chronicle=chronicle, pipelines={NUMBER: pipeline}, changed=self._tell)
        self.application = AzureServer(self.estate, official).application
        self._address = ""

    def serve_at(self, address: str) -> None:
        """Say at which address, without a slash at its end, the application is served."""
        self._address = address
        self.estate.url = f"{address}/{self.estate.organization}"

    def settle(self, *, organization: str, project: str, pipelines: Iterable[Pipeline], approvers: Iterable[Identity]) -> None:
        """Make it another organisation with one project, before anybody has asked it for anything."""
        estate = self.estate
        estate.organization, estate.project, estate.approvers = organization, project, list(approvers)
        estate.pipelines = {pipeline.id: pipeline for pipeline in pipelines}
        self.serve_at(self._address)

    def hook_to(self, url: str, secret: str | None = None, *, in_header: bool = False) -> None:
        """Subscribe an address to all that happens to runs, with the secret that the bot is told of if no other one is given."""
        self.hooks.url, self.hooks.in_header = url, in_header
        self.hooks.secret = secret or self.hooks.secret

    @property
    def url(self) -> str:
        """The address of the organisation."""
        return self.estate.url

    @property
    def token(self) -> str:
        """The personal access token of the bot."""
        return self.estate.token

    @property
    def runs(self) -> list[Run]:
        """All runs, in the order in which they were queued."""
        return list(self.estate.runs.values())

    @property
    def leases(self) -> list[Lease]:
        """All leases, oldest first."""
        return self.estate.leases

    def queue(self, login: str, parameters: Mapping[str, str], earlier: Mapping[str, str] | None = None) -> Run:
        """Let a person queue a run by hand; ``earlier`` names the runs that it takes up."""
        resources = {"pipelines": {alias: {"version": name} for alias, name in (earlier or {}).items()}}
        order: dict[str, object] = {"templateParameters": dict(parameters), "resources": resources}
        return self.estate.place(self.estate.pipelines[NUMBER], order, Identity(login=login, name=login))

    def fill(self, artifact: str, files: Mapping[str, bytes]) -> None:
        """Say which files an artifact of this name will have, in every run that publishes one from now on."""
        self.estate.contents[artifact] = dict(files)

    def advance(self, run: int) -> bool:
        """Let one thing happen in a run, and tell whether any did: none does while it waits for people, and when it has ended."""
        found = self.estate.runs[run]
        happened = course.advance(found, self.estate.contents)
        self.estate.changed(found)
        if happened and found.status == "completed":
            self.estate.happened(f"run {run} completed: {found.result}")
        return happened

    def approve(self, login: str, run: int, stage: str) -> None:
        """Let a person approve a stage; raises NotPossible where that cannot be, PermissionError for somebody who is no approver."""
        self._decide(login, run, stage, approved=True)

    def reject(self, login: str, run: int, stage: str, comment: str = "") -> None:
        """Let a person refuse a stage, and say why; raises as ``approve`` does."""
        self._decide(login, run, stage, approved=False, comment=comment)

    def time_out(self, run: int, stage: str) -> None:
        """Let nobody approve a stage for too long; raises NotPossible for one that does not wait."""
        course.time_out(self._stage(run, stage))
        self.estate.changed(self.estate.runs[run])
        self.estate.happened(f"run {run} stage {stage} was not approved in time")

    def cancel(self, login: str, run: int) -> None:
        """Let a person stop a run; raises NotPossible for one that has ended."""
        course.cancel(self.estate.runs[run])
        self.estate.changed(self.estate.runs[run])
        self.estate.happened(f"run {run} cancelled by {login}")

    def delete(self, run: int) -> None:
        """Let a run be gone, as those are that nobody keeps."""
        del self.estate.runs[run]
        self.estate.happened(f"run {run} deleted")

    def fail(self, run: int, stage: str, message: str = "The process exited with code 1.") -> None:
        """Let a stage that runs, or will run, end with this error."""
        self._stage(run, stage).failing = message

    def limp(self, run: int, stage: str, message: str) -> None:
        """Let a stage that runs, or will run, meet this error and end well all the same."""
        self._stage(run, stage).failing, self._stage(run, stage).limping = message, True

    def expire_token(self) -> None:
        """Let the time of the bot's token run out."""
        self.estate.token_expired = True

    def renew_token(self) -> None:
        """Let the bot's token be good again."""
        self.estate.token_expired = False

    def ask_patience(self, seconds: int | None) -> None:
        """Let every answer ask for patience from now on, or none with None."""
        self.estate.retry_after = seconds

    def _decide(self, login: str, run: int, stage: str, *, approved: bool, comment: str = "") -> None:
        asked = self.estate.approver(login)
        if asked is None:
            raise PermissionError(f"{login} is no approver")
        who = next((member for member in asked.members if member.login == login), asked)
        course.decide(self._stage(run, stage), who, approved=approved, comment=comment)
        self.estate.changed(self.estate.runs[run])
        self.estate.happened(f"run {run} stage {stage} {'approved' if approved else 'rejected'} by {login}")

    def _tell(self, run: Run) -> None:
        self.hooks.look(run, f"{self.estate.url}/{self.estate.project}/_apis")

    def _stage(self, run: int, stage: str) -> Stage:
        return self.estate.runs[run].stage(stage)
