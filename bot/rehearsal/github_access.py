"""Judge who asks, and whether they may: the App by its own signature, everybody else by installation token and permission."""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

import jwt

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_model import App, Installation, InstallationToken, JsonObject, Model, Repository
from bot.rehearsal.github_problems import Forbidden, NotFound, Problem
from bot.rehearsal.moments import now

REPOSITORY = "/repos/{owner}/{repo}"

FOR_THE_APP = frozenset(
    {
        "GET /app",
        "GET /app/hook/deliveries",
        "GET /app/hook/deliveries/{delivery_id}",
        "POST /app/hook/deliveries/{delivery_id}/attempts",
        "GET /app/installations",
        "GET /app/installations/{installation_id}",
        "POST /app/installations/{installation_id}/access_tokens",
        f"GET {REPOSITORY}/installation",
    }
)
"""What is asked with a JSON web token: https://docs.github.com/en/rest/apps."""

METADATA = ("metadata=read",)
TALK = ("issues=read", "pull_requests=read")
ANSWER = ("issues=write", "pull_requests=write")

NEEDS: dict[str, tuple[str, ...]] = {
    "DELETE /installation/token": (),
    "GET /installation/repositories": METADATA,
    "GET /users/{username}": (),
    "GET /user/{account_id}": (),
    "GET /orgs/{org}/teams/{team_slug}/memberships/{username}": ("members=read",),
    f"GET {REPOSITORY}": METADATA,
    f"GET {REPOSITORY}/issues": TALK,
    f"POST {REPOSITORY}/issues": ("issues=write",),
    f"GET {REPOSITORY}/issues/{{issue_number}}": TALK,
    f"GET {REPOSITORY}/issues/{{issue_number}}/comments": TALK,
    f"POST {REPOSITORY}/issues/{{issue_number}}/comments": ANSWER,
    f"GET {REPOSITORY}/issues/comments": TALK,
    f"GET {REPOSITORY}/issues/comments/{{comment_id}}": TALK,
    f"PATCH {REPOSITORY}/issues/comments/{{comment_id}}": ANSWER,
    f"GET {REPOSITORY}/issues/comments/{{comment_id}}/reactions": TALK,
    f"POST {REPOSITORY}/issues/comments/{{comment_id}}/reactions": ANSWER,
    f"GET {REPOSITORY}/labels/{{name}}": TALK,
    f"POST {REPOSITORY}/labels": ANSWER,
    f"POST {REPOSITORY}/issues/{{issue_number}}/labels": ANSWER,
    f"DELETE {REPOSITORY}/issues/{{issue_number}}/labels/{{name}}": ANSWER,
    f"GET {REPOSITORY}/pulls": ("pull_requests=read",),
    f"POST {REPOSITORY}/pulls": ("pull_requests=write",),
    f"GET {REPOSITORY}/pulls/{{pull_number}}": ("pull_requests=read",),
    f"PUT {REPOSITORY}/pulls/{{pull_number}}/merge": ("contents=write",),
    f"GET {REPOSITORY}/git/ref/{{ref}}": ("contents=read",),
    f"POST {REPOSITORY}/git/refs": ("contents=write",),
    f"PUT {REPOSITORY}/contents/{{path}}": ("contents=write",),
    f"GET {REPOSITORY}/git/matching-refs/{{ref}}": ("contents=read",),
    f"DELETE {REPOSITORY}/git/refs/{{ref}}": ("contents=write",),
    f"GET {REPOSITORY}/git/tags/{{tag_sha}}": ("contents=read",),
    f"GET {REPOSITORY}/git/commits/{{commit_sha}}": ("contents=read",),
    f"GET {REPOSITORY}/contents/{{path}}": ("contents=read",),
    f"GET {REPOSITORY}/branches/{{branch}}/protection": ("administration=read",),
    f"PUT {REPOSITORY}/branches/{{branch}}/protection": ("administration=write",),
    f"DELETE {REPOSITORY}/branches/{{branch}}/protection": ("administration=write",),
    f"POST {REPOSITORY}/branches/{{branch}}/protection/required_signatures": ("administration=write",),
    f"DELETE {REPOSITORY}/branches/{{branch}}/protection/required_signatures": ("administration=write",),
    "POST /graphql": ("administration=read",),
    f"GET {REPOSITORY}/rulesets": METADATA,
    f"POST {REPOSITORY}/rulesets": ("administration=write",),
    f"GET {REPOSITORY}/rulesets/{{ruleset_id}}": METADATA,
    f"DELETE {REPOSITORY}/rulesets/{{ruleset_id}}": ("administration=write",),
    f"GET {REPOSITORY}/rules/branches/{{branch}}": METADATA,
    f"GET {REPOSITORY}/collaborators/{{username}}/permission": METADATA,
    f"POST {REPOSITORY}/check-runs": ("checks=write",),
    f"GET {REPOSITORY}/check-runs/{{check_run_id}}": ("checks=read",),
    f"GET {REPOSITORY}/check-runs/{{check_run_id}}/annotations": ("checks=read",),
    f"PATCH {REPOSITORY}/check-runs/{{check_run_id}}": ("checks=write",),
    f"GET {REPOSITORY}/commits/{{ref}}/check-runs": ("checks=read",),
    f"POST {REPOSITORY}/actions/workflows/{{workflow_id}}/dispatches": ("actions=write",),
    f"GET {REPOSITORY}/actions/workflows/{{workflow_id}}/runs": ("actions=read",),
    f"GET {REPOSITORY}/actions/runs/{{run_id}}": ("actions=read",),
    f"GET {REPOSITORY}/actions/runs/{{run_id}}/jobs": ("actions=read",),
    f"GET {REPOSITORY}/actions/runs/{{run_id}}/artifacts": ("actions=read",),
    f"POST {REPOSITORY}/actions/runs/{{run_id}}/rerun-failed-jobs": ("actions=write",),
    f"POST {REPOSITORY}/actions/runs/{{run_id}}/cancel": ("actions=write",),
    f"GET {REPOSITORY}/actions/jobs/{{job_id}}/logs": ("actions=read",),
    f"GET {REPOSITORY}/actions/artifacts/{{artifact_id}}/{{archive_format}}": ("actions=read",),
}
"""Any one of these suffices: https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps."""

NOT_PUBLIC = frozenset({"administration", "members"})
"""Permissions whose data is not readable by everybody, even where the repository is."""

LEVELS = {"read": 1, "write": 2, "admin": 3}
LONGEST_JWT = timedelta(minutes=10)
TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: the App itself (no token), or one of its installations with a token."""

    name: str
    token: InstallationToken | None

    def may(self, permission: str, level: str) -> bool:
        """Tell whether the token carries a permission."""
        return self.token is not None and LEVELS.get(self.token.permissions.get(permission, ""), 0) >= LEVELS[level]


class Access:
    """The doorkeeper of one GitHub."""

    def __init__(self, model: Model, app: App, chronicle: Chronicle) -> None:
        """Guard this model."""
        self._model = model
        self._app = app
        self._chronicle = chronicle

    def admit(self, action: str, authorization: str, where: dict[str, str]) -> Caller:
        """Let a request in, or raise Problem; ``action`` is ``METHOD /template`` and ``where`` its variables."""
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "token") or not credential:
            self._chronicle.violation(f"{action} was asked without credentials, which production could do only 60 times an hour")
            raise Problem(401, "Requires authentication")
        if action in FOR_THE_APP:
            self._check_signature(credential)
            return Caller(name=self._app.slug, token=None)
        token = self.token(credential)
        if token is None:
            raise Problem(401, "Bad credentials")
        self._check_permission(action, token, where)
        return Caller(name=self._app.bot.login, token=token)

    def token(self, text: str) -> InstallationToken | None:
        """Return the installation token of this text, if it is good now."""
        token = self._model.tokens.get(text)
        if token is None or token.expires <= now():
            return None
        if self._model.installations[token.installation].suspended:
            raise Problem(403, "This installation has been suspended")
        return token

    def mint(self, installation: Installation, permissions: dict[str, str] | None, repositories: list[str] | None) -> InstallationToken:
        """Make a token, narrowed as asked; raise Problem for more than the installation has."""
        wanted = installation.permissions if permissions is None else permissions
        excess = [name for name, level in wanted.items() if LEVELS[level] > LEVELS.get(installation.permissions.get(name, ""), 0)]
        if excess:
            raise Problem(422, "The permissions requested are not granted to this installation.")
        names = installation.repositories if repositories is None else set(repositories)
        if not names <= installation.repositories:
            raise Problem(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
        token = InstallationToken(
            text=self._token_text(installation),
            installation=installation.id,
            permissions={"metadata": "read", **wanted},
            repositories=frozenset(names),
            expires=now() + TOKEN_LIFE,
        )
        self._model.tokens[token.text] = token
        return token

    def _token_text(self, installation: Installation) -> str:
        """Return a token of the form and length that GitHub makes since April 2026: ``ghs_APP_`` and a JSON web token."""
        header = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "typ": "JWT"}).encode()).decode().rstrip("=")
        return f"ghs_{self._app.id}_{header}.{installation.id}{secrets.token_urlsafe(96)}.{secrets.token_urlsafe(256)}"

    def _check_signature(self, credential: str) -> None:
        try:
            claims: JsonObject = jwt.decode(
                credential, self._app.public_key, algorithms=["RS256"], options={"require": ["exp", "iat", "iss"]}
            )
        except jwt.ImmatureSignatureError:
            raise Problem(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued") from None
        except jwt.ExpiredSignatureError:
            raise Problem(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time") from None
        except jwt.InvalidTokenError:
            raise Problem(401, "A JSON web token could not be decoded") from None
        if int(str(claims["exp"])) > (now() + LONGEST_JWT).timestamp() + 1:
            raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
        if str(claims["iss"]) not in (str(self._app.id), self._app.client_id):
            raise Problem(401, "'Issuer' claim ('iss') must be an Integer")

    def _check_permission(self, action: str, token: InstallationToken, where: dict[str, str]) -> None:
        accepted = NEEDS[action]
        repository = self._repository(where)
        covered = repository is None or repository.name in token.repositories
        if not covered and action.startswith("GET ") and not any(need.partition("=")[0] in NOT_PUBLIC for need in accepted):
            return
        if "org" in where and self._model.installations[token.installation].account.login.lower() != where["org"].lower():
            covered = False
        caller = Caller(name="", token=token)
        if not covered or (accepted and not any(caller.may(*need.split("=")) for need in accepted)):
            raise Forbidden("; ".join(accepted))

    def _repository(self, where: dict[str, str]) -> Repository | None:
        if "repo" not in where:
            return None
        repository = self._model.repository(f"{where['owner']}/{where['repo']}")
        if repository is None:
            raise NotFound
        return repository
