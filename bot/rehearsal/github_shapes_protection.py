"""Write the classic protection of a branch as the JSON that GitHub answers, from the JSON that GitHub takes: the two are not alike.

https://docs.github.com/en/rest/branches/branch-protection
"""

from bot.rehearsal.github_model import App, JsonObject, Model, Repository
from bot.rehearsal.github_problems import Invalid
from bot.rehearsal.github_shapes import Links, app_shape, team_shape, user_shape

FLAGS = (
    "required_linear_history",
    "allow_force_pushes",
    "allow_deletions",
    "block_creations",
    "required_conversation_resolution",
    "lock_branch",
    "allow_fork_syncing",
)
MOST_ACTORS = 100
"""Users, teams and Apps together, in one list."""


class ProtectionShapes:
    """What is answered about protection in one GitHub."""

    def __init__(self, model: Model, app: App, links: Links) -> None:
        """Name accounts, teams and Apps as this model does."""
        self._model = model
        self._app = app
        self._links = links

    def whole(self, repository: Repository, branch: str, body: JsonObject, *, signatures: bool) -> JsonObject:
        """Return a protection as it is read, from the body with which it is written; raise Invalid for what cannot be meant."""
        url = f"{self._links.repository(repository.name)}/branches/{branch}/protection"
        shape: JsonObject = {
            "url": url,
            "required_signatures": {"url": f"{url}/required_signatures", "enabled": signatures},
            "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": body["enforce_admins"] is True},
            **{flag: {"enabled": body.get(flag) is True} for flag in FLAGS},
        }
        checks, reviews, restrictions = (_object(body, key) for key in _PARTS)
        if checks is not None:
            shape["required_status_checks"] = self._checks(repository, f"{url}/required_status_checks", checks)
        if reviews is not None:
            shape["required_pull_request_reviews"] = self._reviews(repository, f"{url}/required_pull_request_reviews", reviews)
        if restrictions is not None:
            if repository.owner.type != "Organization":
                said = "Only organization repositories can have users and team restrictions"
                raise Invalid("ProtectedBranch", "restrictions", code="custom", message=said)
            links = {f"{kind}_url": f"{url}/restrictions/{kind}" for kind in ("users", "teams", "apps")}
            shape["restrictions"] = {"url": f"{url}/restrictions", **links, **self._actors(repository, restrictions, "restrictions")}
        return shape

    def _checks(self, repository: Repository, url: str, part: JsonObject) -> JsonObject:
        if not isinstance(part.get("strict"), bool) or not isinstance(part.get("contexts"), list):
            raise Invalid("ProtectedBranch", "required_status_checks")
        listed = part.get("checks")
        checks = [self._check(repository, entry) for entry in listed] if isinstance(listed, list) else []
        checks += [self._check(repository, {"context": context}) for context in _texts(part["contexts"], "contexts")]
        return {
            "url": url,
            "contexts_url": f"{url}/contexts",
            "strict": part["strict"],
            "contexts": [check["context"] for check in checks],
            "checks": checks,
        }

    def _check(self, repository: Repository, entry: object) -> JsonObject:
        if not isinstance(entry, dict) or not isinstance(entry.get("context"), str):
            raise Invalid("ProtectedBranch", "checks")
        # A check without an App is pinned to the one that reported it last; minus one means any.
        reported = any(run.name == entry["context"] for run in repository.check_runs)
        app = entry.get("app_id", self._app.id if reported else None)
        if app is not None and (not isinstance(app, int) or isinstance(app, bool)):
            raise Invalid("ProtectedBranch", "checks")
        return {"context": entry["context"], "app_id": None if app == -1 else app}

    def _reviews(self, repository: Repository, url: str, part: JsonObject) -> JsonObject:
        count = part.get("required_approving_review_count", 1)
        if not isinstance(count, int) or not 0 <= count <= 6:  # noqa: PLR2004 - GitHub's own bounds
            raise Invalid("ProtectedBranch", "required_approving_review_count")
        shape: JsonObject = {"url": url, "required_approving_review_count": count}
        for flag in ("dismiss_stale_reviews", "require_code_owner_reviews", "require_last_push_approval"):
            shape[flag] = _truth(part.get(flag, False), flag)
        dismissing, bypassing = (_object(part, key) for key in ("dismissal_restrictions", "bypass_pull_request_allowances"))
        if dismissing:
            links = {f"{kind}_url": f"{url}/dismissal_restrictions/{kind}" for kind in ("users", "teams")}
            actors = self._actors(repository, dismissing, "dismissal_restrictions")
            shape["dismissal_restrictions"] = {"url": f"{url}/dismissal_restrictions", **links, **actors}
        if bypassing:
            shape["bypass_pull_request_allowances"] = self._actors(repository, bypassing, "bypass_pull_request_allowances")
        return shape

    def _actors(self, repository: Repository, part: JsonObject, name: str) -> JsonObject:
        users, teams, apps = (_texts(part.get(kind, []), name) for kind in ("users", "teams", "apps"))
        if len(users) + len(teams) + len(apps) > MOST_ACTORS:
            raise Invalid("ProtectedBranch", name, code="custom", message=f"Only {MOST_ACTORS} users, teams and apps can be specified")
        organization = repository.owner
        found_users = [user for login in users if (user := self._model.user(login))]
        found_teams = [team for slug in teams if (team := self._model.teams.get((organization.login.lower(), slug)))]
        if len(found_users) < len(users) or len(found_teams) < len(teams) or {*apps} - {self._app.slug}:
            raise Invalid("ProtectedBranch", name)
        return {
            "users": [user_shape(self._links, user) for user in found_users],
            "teams": [{**team_shape(self._links, organization, team), "type": "organization"} for team in found_teams],
            "apps": [app_shape(self._links, self._app) for _ in apps],
        }


def names_of(actors: object) -> dict[str, list[object]]:
    """Return who is in a list of actors as it is read; nobody at all where there is no list."""
    if not isinstance(actors, dict):
        return {}
    return {
        kind: [entry[name] for entry in actors.get(kind, [])] for kind, name in (("users", "login"), ("teams", "slug"), ("apps", "slug"))
    }


_PARTS = ("required_status_checks", "required_pull_request_reviews", "restrictions")


def check_body(body: JsonObject) -> None:
    """Refuse what has not the shape that is written, above all what has the shape that is read."""
    for name in ("enforce_admins", *_PARTS):
        if name not in body:
            raise Invalid("ProtectedBranch", name, code="missing_field")
    for name in ("enforce_admins", *FLAGS):
        if body.get(name) is not None:
            _truth(body[name], name)
    restrictions = _object(body, "restrictions")
    for part in (restrictions, *(_object(_object(body, _PARTS[1]) or {}, key) for key in _LISTS)):
        for kind in ("users", "teams", "apps"):
            _texts((part or {}).get(kind, []), kind)
    if restrictions is not None and not {"users", "teams"} <= restrictions.keys():
        raise Invalid("ProtectedBranch", "restrictions", code="missing_field")


_LISTS = ("dismissal_restrictions", "bypass_pull_request_allowances")


def _object(body: JsonObject, name: str) -> JsonObject | None:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise Invalid("ProtectedBranch", name)
    return value


def _truth(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid("ProtectedBranch", name, code="custom", message=f"{name} is not a boolean")
    return value


def _texts(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid("ProtectedBranch", name, code="custom", message=f"{name} is not a list of names")
    return value
