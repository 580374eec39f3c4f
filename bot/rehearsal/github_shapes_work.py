"""Write issues, comments, rulesets and check runs as the JSON that GitHub answers: https://docs.github.com/en/rest."""

from collections import Counter

from bot.rehearsal.github_model import App, CheckRun, Comment, Issue, JsonObject, Reaction, Repository, Ruleset, User
from bot.rehearsal.github_shapes import Links, app_shape, node_id, user_shape
from bot.rehearsal.moments import stamp, stamp_or_none

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def association(repository: Repository, user: User) -> str:
    """Return the ``author_association``, which tells nothing about what somebody may do."""
    if user.id == repository.owner.id:
        return "OWNER"
    return "MEMBER" if user.id in repository.committers else "NONE"


def reaction_counts(url: str, reactions: list[Reaction]) -> JsonObject:
    """Return the summary that stands under a comment."""
    counted = Counter(reaction.content for reaction in reactions)
    return {"url": f"{url}/reactions", "total_count": counted.total(), **{content: counted[content] for content in REACTIONS}}


def label_shape(links: Links, repository: Repository, name: str) -> JsonObject:
    """Return a label."""
    label = repository.labels[name]
    return {
        "id": label.id,
        "node_id": node_id("Label", label.id),
        "url": f"{links.repository(repository.name)}/labels/{name}",
        "name": name,
        "color": label.color,
        "default": False,
        "description": label.description or None,
    }


def issue_shape(links: Links, app: App, repository: Repository, issue: Issue) -> JsonObject:
    """Return an issue, or a pull request seen as one: only then is there a ``pull_request``."""
    url = links.issue(repository.name, issue.number)
    html = f"{links.server}/{repository.name}/{'pull' if issue.is_pull_request else 'issues'}/{issue.number}"
    shape: JsonObject = {
        "id": issue.id,
        "node_id": node_id("Issue", issue.id),
        "url": url,
        "repository_url": links.repository(repository.name),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": html,
        "number": issue.number,
        "title": issue.title,
        "user": user_shape(links, issue.author),
        "labels": [label_shape(links, repository, name) for name in issue.labels],
        "state": issue.state,
        "locked": False,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(issue.comments),
        "created_at": stamp(issue.created),
        "updated_at": stamp(issue.updated),
        "closed_at": stamp_or_none(issue.closed),
        "author_association": association(repository, issue.author),
        "body": issue.body,
        "reactions": reaction_counts(url, []),
        "performed_via_github_app": app_shape(links, app) if issue.through_app else None,
    }
    if issue.is_pull_request:
        pull = f"{links.repository(repository.name)}/pulls/{issue.number}"
        pages = {"url": pull, "html_url": html, "diff_url": f"{html}.diff", "patch_url": f"{html}.patch"}
        shape["pull_request"] = {**pages, "merged_at": stamp_or_none(issue.merged)}
        shape["draft"] = False
    return shape


def comment_shape(links: Links, app: App, repository: Repository, comment: Comment) -> JsonObject:
    """Return a comment on an issue."""
    url = f"{links.repository(repository.name)}/issues/comments/{comment.id}"
    return {
        "id": comment.id,
        "node_id": node_id("IssueComment", comment.id),
        "url": url,
        "html_url": f"{links.server}/{repository.name}/issues/{comment.issue}#issuecomment-{comment.id}",
        "issue_url": links.issue(repository.name, comment.issue),
        "user": user_shape(links, comment.author),
        "body": comment.body,
        "created_at": stamp(comment.created),
        "updated_at": stamp(comment.updated),
        "author_association": association(repository, comment.author),
        "reactions": reaction_counts(url, comment.reactions),
        "performed_via_github_app": app_shape(links, app) if comment.through_app else None,
    }


def reaction_shape(links: Links, reaction: Reaction) -> JsonObject:
    """Return one reaction."""
    return {
        "id": reaction.id,
        "node_id": node_id("Reaction", reaction.id),
        "user": user_shape(links, reaction.user),
        "content": reaction.content,
        "created_at": stamp(reaction.created),
    }


def annotation_shape(links: Links, run: CheckRun, annotation: JsonObject) -> JsonObject:
    """Return an annotation of a check run."""
    absent = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return {**absent, **annotation, "blob_href": f"{links.server}/{run.repository}/blob/{run.head_sha}/{annotation['path']}"}


def ruleset_summary(links: Links, ruleset: Ruleset) -> JsonObject:
    """Return a ruleset as the list shows it: without conditions, rules and bypass."""
    organization = ruleset.source_type == "Organization"
    home = f"{links.api}/orgs/{ruleset.source}" if organization else links.repository(ruleset.source)
    return {
        "id": ruleset.id,
        "name": ruleset.name,
        "target": ruleset.target,
        "source_type": ruleset.source_type,
        "source": ruleset.source,
        "enforcement": ruleset.enforcement,
        "node_id": node_id("RepositoryRuleset", ruleset.id),
        "_links": {
            "self": {"href": f"{home}/rulesets/{ruleset.id}"},
            "html": {"href": f"{links.server}/{ruleset.source}/rules/{ruleset.id}"},
        },
        "created_at": stamp(ruleset.created),
        "updated_at": stamp(ruleset.updated),
    }


def ruleset_shape(links: Links, ruleset: Ruleset) -> JsonObject:
    """Return a whole ruleset as webhooks carry it; REST adds the bypass only for those who may see it."""
    return {**ruleset_summary(links, ruleset), "conditions": ruleset.conditions, "rules": ruleset.rules}


def check_run_shape(links: Links, app: App, run: CheckRun) -> JsonObject:
    """Return a check run."""
    url = f"{links.repository(run.repository)}/check-runs/{run.id}"
    html = f"{links.server}/{run.repository}/runs/{run.id}"
    output = {"title": None, "summary": None, "text": None, **run.output, "annotations_count": len(run.annotations)}
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url or html,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp_or_none(run.started),
        "completed_at": stamp_or_none(run.completed),
        "output": {**output, "annotations_url": f"{url}/annotations"},
        "name": run.name,
        "check_suite": {"id": run.suite},
        "app": app_shape(links, app),
        "pull_requests": [],
    }
