"""Write workflows, runs, jobs and artifacts as the JSON that GitHub answers: https://docs.github.com/en/rest/actions."""

from bot.rehearsal.github_actions_model import RETENTION, Artifact, Job, Run
from bot.rehearsal.github_model import JsonObject
from bot.rehearsal.github_shapes import Links, node_id, repository_shape, user_shape
from bot.rehearsal.moments import stamp, stamp_or_none


def workflow_shape(links: Links, run: Run) -> JsonObject:
    """Return the workflow of a run as webhooks carry it."""
    html = f"{links.server}/{run.repository.name}"
    moment = stamp(run.repository.created)
    return {
        "id": run.workflow_id,
        "node_id": node_id("Workflow", run.workflow_id),
        "name": run.workflow.name,
        "path": run.workflow.path,
        "state": "active",
        "created_at": moment,
        "updated_at": moment,
        "url": f"{links.repository(run.repository.name)}/actions/workflows/{run.workflow_id}",
        "html_url": f"{html}/blob/{run.repository.default_branch}/{run.workflow.path}",
        "badge_url": f"{html}/actions/workflows/{run.workflow.file}/badge.svg",
    }


def run_url(links: Links, run: Run) -> str:
    """Return the API address of a run."""
    return f"{links.repository(run.repository.name)}/actions/runs/{run.id}"


def run_page(links: Links, run: Run) -> str:
    """Return the page of a run for people."""
    return f"{links.server}/{run.repository.name}/actions/runs/{run.id}"


def run_shape(links: Links, run: Run) -> JsonObject:
    """Return a run, as REST and webhooks both have it."""
    repository, url = links.repository(run.repository.name), run_url(links, run)
    by_hand = run.event == "workflow_dispatch"
    return {
        "id": run.id,
        "name": run.workflow.name,
        "node_id": node_id("WorkflowRun", run.id),
        "head_branch": run.branch,
        "head_sha": run.head_sha,
        "path": run.workflow.path,
        "display_title": run.workflow.name if by_hand else str(run.head_commit["message"]).partition("\n")[0],
        "run_number": run.number,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow_id,
        "check_suite_id": run.id,
        "check_suite_node_id": node_id("CheckSuite", run.id),
        "url": url,
        "html_url": run_page(links, run),
        "pull_requests": [],
        "created_at": stamp(run.created),
        "updated_at": stamp(run.updated),
        "actor": user_shape(links, run.actor),
        "run_attempt": run.attempt,
        "referenced_workflows": [],
        "run_started_at": stamp(run.started),
        "triggering_actor": user_shape(links, run.triggering_actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{repository}/check-suites/{run.id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None,
        "workflow_url": f"{repository}/actions/workflows/{run.workflow_id}",
        "head_commit": run.head_commit,
        "repository": repository_shape(links, run.repository),
        "head_repository": repository_shape(links, run.head_repository),
    }


def job_shape(links: Links, run: Run, job: Job) -> JsonObject:
    """Return a job, as REST and webhooks both have it."""
    repository = links.repository(run.repository.name)
    running = job.status != "queued" and job.conclusion != "skipped"
    return {
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.workflow.name,
        "head_branch": run.branch,
        "run_url": run_url(links, run),
        "run_attempt": job.attempt,
        "node_id": node_id("CheckRun", job.id),
        "head_sha": run.head_sha,
        "url": f"{repository}/actions/jobs/{job.id}",
        "html_url": f"{run_page(links, run)}/job/{job.id}",
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": stamp(job.created),
        "started_at": stamp(job.started or job.created),
        "completed_at": stamp_or_none(job.completed),
        "name": job.name,
        "steps": _steps(job) if running else [],
        "check_run_url": f"{repository}/check-runs/{job.id}",
        "labels": [job.planned.runner],
        "runner_id": job.id if running else None,
        "runner_name": "GitHub Actions" if running else None,
        "runner_group_id": 0 if running else None,
        "runner_group_name": "GitHub Actions" if running else None,
    }


def artifact_shape(links: Links, run: Run, artifact: Artifact) -> JsonObject:
    """Return an artifact."""
    url = f"{links.repository(run.repository.name)}/actions/artifacts/{artifact.id}"
    return {
        "id": artifact.id,
        "node_id": node_id("Artifact", artifact.id),
        "name": artifact.name,
        "size_in_bytes": len(artifact.archive),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": artifact.expired,
        "digest": artifact.digest,
        "created_at": stamp(artifact.created),
        "updated_at": stamp(artifact.created),
        "expires_at": stamp(artifact.created + RETENTION),
        "workflow_run": {
            "id": run.id,
            "repository_id": run.repository.id,
            "head_repository_id": run.head_repository.id,
            "head_branch": run.branch,
            "head_sha": run.head_sha,
        },
    }


def _steps(job: Job) -> list[JsonObject]:
    """Return the steps of a job that has a runner: while it runs the second is under way, and the last of its own shows how it ended."""
    names = ("Set up job", *job.planned.steps, "Complete job")
    done = job.status == "completed"
    steps: list[JsonObject] = []
    for number, name in enumerate(names, 1):
        status = "completed" if done or number == 1 else "in_progress" if number == len(("set up", "running")) else "queued"
        conclusion = job.conclusion if done and number == len(names) - 1 else "success" if status == "completed" else None
        moments = {"started_at": stamp_or_none(job.started), "completed_at": stamp_or_none(job.completed or job.started)}
        known = moments if status == "completed" else dict.fromkeys(moments)
        steps.append({"number": number, "name": name, "status": status, "conclusion": conclusion, **known})
    return steps
