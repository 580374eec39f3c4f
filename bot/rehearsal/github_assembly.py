"""Put one GitHub together: an App with a fresh key, the model, the acts, and the two web applications in front of them."""

import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.git_http import GitHttp
from bot.rehearsal.git_repository import write_hook
from bot.rehearsal.github import GitHub
from bot.rehearsal.github_access import Access
from bot.rehearsal.github_actions import Actions
from bot.rehearsal.github_acts import Acts
from bot.rehearsal.github_desk import Desk
from bot.rehearsal.github_events import Events
from bot.rehearsal.github_model import App, Model, User
from bot.rehearsal.github_policy import Rules
from bot.rehearsal.github_protection import Protections
from bot.rehearsal.github_server import GitHubServer
from bot.rehearsal.github_shapes import Links
from bot.rehearsal.github_storage import Storage
from bot.rehearsal.official import OfficialGitHub
from bot.rehearsal.post import Pace
from bot.rehearsal.reference import GitHubSpecs
from bot.rehearsal.webhook_schemas import WebhookSchemas
from bot.rehearsal.webhooks import Webhooks

SLUG = "brother-maynard"

PERMISSIONS = {
    "actions": "write",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "workflows": "write",
}
"""What the App asks for when it is registered."""

EVENTS = [
    "check_run",
    "create",
    "delete",
    "issue_comment",
    "issues",
    "membership",
    "push",
    "repository_ruleset",
    "workflow_job",
    "workflow_run",
]
"""What the App subscribes to when it is registered."""


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A GitHub ready to be served."""

    github: GitHub
    api: web.Application
    git: web.Application


def assemble(directory: Path, links: Links, chronicle: Chronicle, specs: GitHubSpecs, pace: Pace) -> Assembled:
    """Build everything; nothing is served and nothing delivered yet."""
    model = Model()
    app = register(model)
    webhooks = Webhooks(app, chronicle, WebhookSchemas(specs.webhooks), pace)
    events = Events(model, app, links, webhooks)
    desk = Desk(
        model=model,
        app=app,
        links=links,
        acts=Acts(model, chronicle, events),
        rules=Rules(model, app),
        protections=Protections(model, app, links, chronicle),
        access=Access(model, app, chronicle),
        webhooks=webhooks,
        actions=Actions(model, chronicle, events),
        storage=Storage(links, chronicle),
    )
    repositories = directory.resolve() / "git"
    write_hook(repositories / "hooks")
    official = None if specs.openapi is None else described(specs.openapi)
    return Assembled(
        github=GitHub(desk, repositories),
        api=GitHubServer(desk, chronicle, official).application,
        git=GitHttp(desk, chronicle, repositories).application,
    )


@cache
def described(path: Path) -> OfficialGitHub:
    """Read the official description, once for all worlds of a process: it is large, and only asked, never changed."""
    return OfficialGitHub(path)


def register(model: Model) -> App:
    """Register the App: a bot account, a key pair, a webhook secret."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    owner = User(id=model.new_id(), login="brother-maynard-operators", type="Organization")
    bot = User(id=model.new_id(), login=f"{SLUG}[bot]", type="Bot")
    model.users |= {owner.id: owner, bot.id: bot}
    return App(
        id=model.new_id(),
        slug=SLUG,
        name="Brother Maynard",
        client_id=f"Iv23li{secrets.token_hex(7)}",
        owner=owner,
        bot=bot,
        private_key=private.decode(),
        public_key=public.decode(),
        permissions=dict(PERMISSIONS),
        events=list(EVENTS),
        webhook_secrets=[secrets.token_hex(20)],
        hook_id=model.new_id(),
    )
