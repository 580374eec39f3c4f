"""Write what Azure DevOps knows as it writes it: https://github.com/MicrosoftDocs/vsts-rest-api-specs."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.rehearsal.azure_model import Approval, Artifact, Identity, JsonObject, Lease, Pipeline, Run, Stage

ELSEWHERE = "https://artifacts.example"
"""In place of the hosts on which Azure keeps whole artifacts: whoever goes there leaves the world."""


def moment(at: datetime) -> str:
    """Write a time with seven digits for the fraction, as Azure does."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0Z"


def listed(items: list[JsonObject]) -> JsonObject:
    """Wrap a list, as Azure wraps all of them."""
    return {"count": len(items), "value": items}


def identity(who: Identity, organization: str) -> JsonObject:
    """Write who somebody is; a group is told by being a container."""
    return {
        "id": who.id,
        "displayName": who.name,
        "uniqueName": who.login,
        "descriptor": f"{'vssgp' if who.members else 'aad'}.{who.id}",
        "url": f"{organization}/_apis/Identities/{who.id}",
    } | ({"isContainer": True} if who.members else {})


def definition(pipeline: Pipeline, organization: str, project: str) -> JsonObject:
    """Write a reference to a pipeline."""
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "path": pipeline.path,
        "type": "build",
        "queueStatus": "enabled",
        "revision": 40,
        "url": f"{organization}/{project}/_apis/build/Definitions/{pipeline.id}?revision=40",
    }


def build(run: Run, organization: str, project: str) -> JsonObject:
    """Write a run as the build interface shows a single one."""
    return _given(
        {
            "_links": {"web": {"href": f"{organization}/{project}/_build/results?buildId={run.id}"}},
            "id": run.id,
            "buildNumber": run.name,
            "status": run.status,
            "result": run.result,
            "queueTime": moment(run.queued),
            "startTime": _moment(run.started),
            "finishTime": _moment(run.finished),
            "url": f"{organization}/{project}/_apis/build/Builds/{run.id}",
            "definition": definition(run.pipeline, organization, project),
            "sourceBranch": run.ref,
            "sourceVersion": run.commit,
            "reason": "manual",
            "requestedFor": identity(run.requested_by, organization),
            "requestedBy": identity(run.requested_by, organization),
            "templateParameters": run.parameters,
            # What was set when the run was queued, as a text: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/get
            "parameters": json.dumps(run.variables) if run.variables else None,
            "repository": {"id": run.pipeline.repository, "type": "GitHub"},
            "tags": run.tags,
            "priority": "normal",
        }
    )


def placed(run: Run, organization: str, project: str) -> JsonObject:
    """Write a run as the pipelines interface answers an order."""
    return {
        "_links": {"web": {"href": f"{organization}/{project}/_build/results?buildId={run.id}"}},
        "id": run.id,
        "name": run.name,
        "state": "inProgress",
        "createdDate": moment(run.queued),
        "pipeline": {"id": run.pipeline.id, "name": run.pipeline.name, "folder": run.pipeline.path, "revision": 40},
        "templateParameters": run.parameters,
        "url": f"{organization}/{project}/_apis/pipelines/{run.pipeline.id}/runs/{run.id}",
    }


def used(run: Run, organization: str, project: str) -> JsonObject:
    """Write a run as the pipelines interface shows a single one, with what it takes up."""
    reference = {"id": run.pipeline.id, "name": run.pipeline.name, "folder": run.pipeline.path, "revision": 40}
    earlier = {alias: {"pipeline": reference, "version": name} for alias, name in run.earlier.items()}
    itself = {"repository": {"fullName": run.pipeline.repository, "type": "gitHub"}, "refName": run.ref, "version": run.commit}
    variables = {name: {"value": value} for name, value in run.variables.items()}
    resources: JsonObject = {"repositories": {"self": itself}, "pipelines": earlier}
    return {**placed(run, organization, project), "variables": variables, "resources": resources}


def timeline(run: Run) -> JsonObject:
    """Write all records of a run: each stage, its phase and jobs, and its checkpoint with the approval."""
    return {
        "id": run.stages[0].phase,
        "changeId": 1,
        "records": [line for place, stage in enumerate(run.stages, 1) for line in _records(stage, place)],
    }


def approval(run: Run, found: Approval, approvers: list[Identity], organization: str, blocked: Sequence[Identity] = ()) -> JsonObject:
    """Write an approval with its steps: one for each approver, of which one is enough."""
    who_gave = next((who for who in approvers if found.by and who.stands_for(found.by.login)), None)
    steps = [
        _given(
            {
                "assignedApprover": identity(who, organization),
                "actualApprover": identity(found.by, organization) if found.by and who_gave is who else None,
                "status": found.status if who_gave in (None, who) else "skipped",
                "comment": found.comment if who_gave is who else None,
                "initiatedOn": moment(found.created),
                "order": place,
            }
        )
        for place, who in enumerate(approvers, 1)
    ]
    return {
        "id": found.id,
        "status": found.status,
        "createdOn": moment(found.created),
        "lastModifiedOn": moment(found.created),
        "instructions": "",
        "executionOrder": "anyOrder",
        "minRequiredApprovers": 1,
        "blockedApprovers": [identity(who, organization) for who in blocked],
        "steps": steps,
        # Live answers have it, although the description of this version does not.
        "pipeline": {"owner": {"id": run.id, "name": run.name}, "id": str(run.pipeline.id), "name": run.pipeline.name},
    }


def artifact(run: Run, name: str, found: Artifact, number: int, base: str) -> JsonObject:
    """Write what a run published; whole artifacts are offered on another host."""
    return {
        "id": number,
        "name": name,
        "source": run.stages[0].id,
        "resource": {
            "type": found.kind,
            "data": found.id if found.kind == "PipelineArtifact" else f"#/{number}/{name}",
            "properties": {"artifactsize": str(sum(map(len, found.files.values())))},
            "url": f"{base}/build/builds/{run.id}/artifacts?artifactName={name}&api-version=7.1",
            "downloadUrl": f"{ELSEWHERE}/{found.id}/content?format=zip",
        },
    }


def manifest(found: Artifact) -> JsonObject:
    """Write the list of an artifact's files."""
    items = [{"path": f"/{path}", "blob": {"id": file_id(found, path), "size": len(body)}} for path, body in found.files.items()]
    return {"manifestFormat": "V1.1", "items": items}


def file_id(found: Artifact, path: str) -> str:
    """Return the id under which a file of an artifact is kept."""
    return f"{found.id}{sorted(found.files).index(path):02d}"


def lease(found: Lease) -> JsonObject:
    """Write a lease."""
    return {
        "leaseId": found.id,
        "ownerId": found.owner,
        "runId": found.run,
        "definitionId": found.pipeline,
        "createdOn": moment(found.created),
        "validUntil": moment(found.until),
        "protectPipeline": False,
    }


def years_later(at: datetime, days: int) -> datetime:
    """Return the end of a lease; no further than the calendar goes."""
    return at + timedelta(days=min(days, 365 * 1000))


def _records(stage: Stage, place: int) -> list[JsonObject]:
    times = {"startTime": _moment(stage.started), "finishTime": _moment(stage.finished)}
    common = {"state": stage.state, "result": stage.result, "attempt": stage.attempt, **times}
    records: list[JsonObject] = [
        {"id": stage.id, "type": "Stage", "name": stage.plan.display, "identifier": stage.plan.name, "order": place, **common},
        {"id": stage.phase, "parentId": stage.id, "type": "Phase", "name": stage.plan.display, "order": 1, **common},
    ]
    for number, job in enumerate(stage.jobs, 1):
        issues = [{"type": "error", "message": stage.error, "category": "General"}] if stage.error and number == 1 else []
        name = f"{stage.plan.name}.{job.plan.name}"
        records.append(
            {
                "id": job.id,
                "parentId": stage.phase,
                "type": "Job",
                "name": job.plan.display,
                "identifier": name,
                "order": number,
                "issues": issues,
            }
            | common
        )
    if stage.approval is not None:
        done = stage.approval.status != "pending"
        ended = {"pending": None, "approved": "succeeded", "canceled": "canceled"}.get(stage.approval.status, "failed")
        state = {"state": "completed" if done else "inProgress", "result": ended, "startTime": moment(stage.approval.created), "attempt": 1}
        records += [
            {"id": stage.checkpoint, "parentId": stage.id, "type": "Checkpoint", "name": "Checkpoint", **state},
            {"id": stage.approval.id, "parentId": stage.checkpoint, "type": "Checkpoint.Approval", "name": "Checkpoint.Approval", **state},
        ]
    return [_given(record) for record in records]


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def _given(shape: JsonObject) -> JsonObject:
    """Leave out what is not there, as Azure mostly does."""
    return {name: value for name, value in shape.items() if value is not None}
