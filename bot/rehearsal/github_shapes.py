"""Write accounts, repositories and the App as the JSON that GitHub answers: https://docs.github.com/en/rest."""

import base64
from dataclasses import dataclass

from bot.rehearsal.github_model import App, Installation, JsonObject, Repository, Team, User
from bot.rehearsal.moments import stamp, stamp_or_none

USER_LINKS = {
    "followers_url": "followers",
    "following_url": "following{/other_user}",
    "gists_url": "gists{/gist_id}",
    "starred_url": "starred{/owner}{/repo}",
    "subscriptions_url": "subscriptions",
    "organizations_url": "orgs",
    "repos_url": "repos",
    "events_url": "events{/privacy}",
    "received_events_url": "received_events",
}

REPOSITORY_LINKS = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where this GitHub answers: ``api`` for REST, ``server`` for git and for people; neither ends with a slash."""

    api: str
    server: str

    def repository(self, name: str) -> str:
        """Return the API address of a repository."""
        return f"{self.api}/repos/{name}"

    def issue(self, name: str, number: int) -> str:
        """Return the API address of an issue."""
        return f"{self.repository(name)}/issues/{number}"


def node_id(kind: str, number: int | str) -> str:
    """Return an opaque global id of the older form."""
    return base64.b64encode(f"0:{kind}{number}".encode()).decode()


def user_shape(links: Links, user: User) -> JsonObject:
    """Return an account as it stands inside other objects (``simple-user``)."""
    url = f"{links.api}/users/{user.login}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("User", user.id),
        "avatar_url": f"{links.server}/avatars/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{links.server}/{user.login}",
        "type": user.type,
        "site_admin": False,
        **{key: f"{url}/{suffix}" for key, suffix in USER_LINKS.items()},
    }


def public_user_shape(links: Links, user: User) -> JsonObject:
    """Return an account as ``GET /users/{username}`` does (``public-user``)."""
    unknown = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    return {
        **user_shape(links, user),
        **unknown,
        **counts,
        "blog": "",
        "created_at": stamp(user.created),
        "updated_at": stamp(user.created),
    }


def organization_shape(links: Links, organization: User) -> JsonObject:
    """Return an organisation as webhooks carry it (``organization-simple``)."""
    url = f"{links.api}/orgs/{organization.login}"
    names = ("events", "hooks", "issues", "repos")
    return {
        "login": organization.login,
        "id": organization.id,
        "node_id": node_id("Organization", organization.id),
        "url": url,
        "avatar_url": f"{links.server}/avatars/{organization.id}",
        "description": "",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        **{f"{name}_url": f"{url}/{name}" for name in names},
    }


def repository_shape(links: Links, repository: Repository) -> JsonObject:
    """Return a repository as it stands inside other objects and in webhooks."""
    url = links.repository(repository.name)
    html = f"{links.server}/{repository.name}"
    zeros = ("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers", "watchers_count")
    switches = ("has_discussions", "has_downloads", "has_pages", "has_projects", "has_wiki")
    return {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.short_name,
        "full_name": repository.name,
        "private": False,
        "owner": user_shape(links, repository.owner),
        "html_url": html,
        "description": None,
        "fork": repository.fork_of is not None,
        "url": url,
        "archived": False,
        "disabled": False,
        "visibility": "public",
        "default_branch": repository.default_branch,
        "topics": [],
        "language": None,
        "license": None,
        "homepage": None,
        "mirror_url": None,
        "has_issues": True,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "created_at": stamp(repository.created),
        "updated_at": stamp(repository.created),
        "pushed_at": stamp(repository.created),
        "clone_url": f"{html}.git",
        "git_url": f"git://{html.partition('://')[2]}.git",
        "ssh_url": f"git@{html.partition('://')[2]}.git",
        "svn_url": html,
        **dict.fromkeys(zeros, 0),
        **dict.fromkeys(switches, False),
        **{key: f"{url}/{suffix}" for key, suffix in REPOSITORY_LINKS.items()},
    }


def full_repository_shape(links: Links, repository: Repository, parent: Repository | None) -> JsonObject:
    """Return a repository as ``GET /repos/{owner}/{repo}`` does; a fork names its parent and source."""
    shape = {**repository_shape(links, repository), "network_count": 0, "subscribers_count": 0}
    if parent is not None:
        shape |= {"parent": repository_shape(links, parent), "source": repository_shape(links, parent)}
    return shape


def app_shape(links: Links, app: App) -> JsonObject:
    """Return the App as ``GET /app`` does and as comments and checks name it (``integration``)."""
    return {
        "id": app.id,
        "slug": app.slug,
        "client_id": app.client_id,
        "node_id": node_id("Integration", app.id),
        "owner": user_shape(links, app.owner),
        "name": app.name,
        "description": "",
        "external_url": "https://example.invalid/",
        "html_url": f"{links.server}/apps/{app.slug}",
        "created_at": stamp(app.created),
        "updated_at": stamp(app.created),
        "permissions": dict(app.permissions),
        "events": list(app.events),
    }


def installation_shape(links: Links, app: App, installation: Installation) -> JsonObject:
    """Return an installation of the App."""
    url = f"{links.api}/app/installations/{installation.id}"
    return {
        "id": installation.id,
        "account": user_shape(links, installation.account),
        "repository_selection": "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{links.api}/installation/repositories",
        "html_url": f"{links.server}/settings/installations/{installation.id}",
        "app_id": app.id,
        "app_slug": app.slug,
        "client_id": app.client_id,
        "target_id": installation.account.id,
        "target_type": installation.account.type,
        "permissions": dict(installation.permissions),
        "events": list(app.events),
        "created_at": stamp(installation.created),
        "updated_at": stamp(installation.created),
        "single_file_name": None,
        "suspended_at": stamp_or_none(installation.suspended),
        "suspended_by": None,
    }


def team_shape(links: Links, organization: User, team: Team) -> JsonObject:
    """Return a team as webhooks carry it."""
    url = f"{links.api}/organizations/{organization.id}/team/{team.id}"
    return {
        "id": team.id,
        "node_id": node_id("Team", team.id),
        "name": team.slug,
        "slug": team.slug,
        "description": "",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": f"{links.server}/orgs/{team.organization}/teams/{team.slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
    }
