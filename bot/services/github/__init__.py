"""GitHub, through its REST API, as a GitHub App."""

from bot.services.github.github import GitHub
from bot.services.github.limits import Limits
from bot.services.github.scope import NotInstalled
from bot.services.github.verdict import GitHubRefused

__all__ = ["GitHub", "GitHubRefused", "Limits", "NotInstalled"]
