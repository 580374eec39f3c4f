"""Say no as GitHub does: one exception per way of refusing, turned into JSON by the server."""

from collections.abc import Mapping

from bot.rehearsal.github_model import JsonObject

DOCUMENTATION = "https://docs.github.com/rest"


class Problem(Exception):
    """An answer other than success; nothing was changed."""

    def __init__(
        self, status: int, message: str, *, errors: list[JsonObject] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what will be answered."""
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: JsonObject = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors


class NotFound(Problem):
    """There is no such thing, or the caller may not know of it."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(404, "Not Found")


class Invalid(Problem):
    """422: the body was understood and is wrong."""

    def __init__(self, resource: str, field: str, *, code: str = "invalid", message: str = "") -> None:
        """Name the field; ``code`` is one of missing_field, invalid, already_exists, custom (the last needs a message)."""
        said: JsonObject = {"message": message} if message else {}
        super().__init__(422, "Validation Failed", errors=[{"resource": resource, "field": field, "code": code, **said}])


class Forbidden(Problem):
    """403 for want of a permission; ``accepted`` names what would have been enough."""

    def __init__(self, accepted: str) -> None:
        """Name the permissions as https://docs.github.com/en/rest/overview/permissions-required-for-github-apps does."""
        super().__init__(403, "Resource not accessible by integration", headers={"X-Accepted-GitHub-Permissions": accepted})
