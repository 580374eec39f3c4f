"""What runs on Azure Pipelines are ordered with: parameters by the profile and the series, filled in for this release."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.errors import UserError
from bot.journal import Json
from bot.profile import Profile
from bot.profile.builders import Azure, AzurePlan
from bot.release.model import Release
from bot.services.azure_devops.shapes import DefinitionId, Run, as_text
from bot.tools import placeholders

BUILD: Final = "build"
PUBLISH: Final = "publish"
"""What runs are ordered for."""


_BY_SOMEBODY: Final = frozenset({"", "manual"})
"""Why runs were queued that somebody ordered; where the service does not tell, a run counts, for to order another one would be worse."""


def queueing(purpose: str) -> str:
    """Return how the names of all effects begin that place an order."""
    return f"queue {purpose} "


def effect(purpose: str, number: int) -> str:
    """Return the name of the effect that places the order of this number."""
    return f"{queueing(purpose)}{number}"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run is ordered with. ``run_name`` is how its name begins; ``resources`` names the earlier runs that it takes up.

    ``commit`` is that of the pipeline's own repository, empty where its newest one is meant; ``variables`` hold for this run alone.
    """

    step: str
    purpose: str
    ref: str
    run_name: str
    parameters: Mapping[str, str]
    resources: Mapping[str, str]
    definition: DefinitionId | None = None
    commit: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def pipeline(self) -> DefinitionId:
        """Return the number of the pipeline; raise UserError while nobody has looked it up."""
        if self.definition is None:
            raise UserError("The pipeline on Azure was not looked up yet, so nothing can be asked of it.")
        return self.definition

    @property
    def document(self) -> Mapping[str, Json]:
        """Return it as the door writes it down."""
        document: dict[str, Json] = {
            "definition": self.definition,
            "ref": self.ref,
            "run_name": self.run_name,
            "parameters": dict(self.parameters),
            "resources": dict(self.resources),
        }
        # Only where there are any: orders that were written down before have to stay the same.
        if self.commit or self.variables:
            document |= {"commit": self.commit, "variables": dict(self.variables)}
        return document

    def fits(self, run: Run) -> bool:
        """Tell whether a run was ordered with all of this; one that was queued by its pipeline's own triggers was not ordered at all."""
        if not run.is_of(self.ref) or not run.was_given(self.parameters):
            return False
        return not self.commit or (run.commit == self.commit and run.was_set(self.variables) and run.reason in _BY_SOMEBODY)

    @property
    def digest(self) -> str:
        """Return a short digest of all that the service judges it by."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()[:12]


def approvals(policy: Azure, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the stages that somebody has to approve for a release whose runs are ordered with these parameters."""
    true = {name for name, value in parameters.items() if value.lower() == "true"}
    return tuple(stage for stage, when in policy.approvals.items() if not when or true & set(when))


def to_build(release: Release, policy: Azure, profile: Profile) -> Order:
    """Return the order of the run that builds; where the plan has one run, it is the one that publishes too."""
    parameters = _parameters(release, policy, profile)
    if policy.plan is AzurePlan.ONE_RUN:
        # What takes up an earlier run has no place in a run that builds by itself.
        parameters |= {name: value for name, value in policy.publish.items() if value != policy.resource}
    return _order("windows", BUILD, parameters, {}, release, policy)


def to_publish(release: Release, policy: Azure, first: str, profile: Profile) -> Order:
    """Return the order of the run that publishes what the run of the name ``first`` built."""
    parameters = _parameters(release, policy, profile) | policy.publish
    return _order("windows-publish", PUBLISH, parameters, {policy.resource: first}, release, policy)


def _parameters(release: Release, policy: Azure, profile: Profile) -> dict[str, str | bool]:
    return {**policy.parameters, **profile.series_of(release.version).azure}


def _order(
    step: str,
    purpose: str,
    parameters: Mapping[str, str | bool],
    resources: Mapping[str, str],
    release: Release,
    policy: Azure,
) -> Order:
    known = placeholders(release)
    filled = {name: _filled(as_text(value), known) for name, value in sorted(parameters.items())}
    run_name = _filled(policy.run_name, known)
    return Order(step=step, purpose=purpose, ref=policy.ref, run_name=run_name, parameters=filled, resources=resources)


def _filled(text: str, known: Mapping[str, str]) -> str:
    try:
        return text.format_map(known)
    except (KeyError, ValueError, IndexError, AttributeError):
        names = ", ".join(f"{{{name}}}" for name in known)
        raise UserError(f"The table [azure] of the profile has “{text}”, in which not all can be filled in; there are {names}.") from None
