"""Say no as Azure DevOps does: one JSON error for everything, told apart by its ``typeKey``."""

from http import HTTPStatus


class Problem(Exception):
    """An answer other than success; nothing was changed."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        """Keep what will be answered."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {
            "$id": "1",
            "innerException": None,
            "message": message,
            "typeName": f"Microsoft.Azure.Pipelines.WebApi.{kind}, Microsoft.Azure.Pipelines.WebApi",
            "typeKey": kind,
            "errorCode": 0,
            "eventId": 3000,
        }


class Invalid(Problem):
    """400: an order of a run is wrong; one sentence for each mistake, as in https://github.com/microsoft/coe-starter-kit/issues/4112."""

    def __init__(self, *sentences: str) -> None:
        """Say all that is wrong."""
        super().__init__(HTTPStatus.BAD_REQUEST, "PipelineValidationException", "\n".join(sentences))


class NoSuchRun(Problem):
    """404: there is no run of this number."""

    def __init__(self, run: object) -> None:
        """Name it."""
        super().__init__(HTTPStatus.NOT_FOUND, "BuildNotFoundException", f"The requested build {run} could not be found.")


class Forbidden(Problem):
    """403: the token's owner may not do this."""

    def __init__(self, who: str, needs: str) -> None:
        """Name the permission."""
        super().__init__(HTTPStatus.FORBIDDEN, "AccessDeniedException", f"Access denied. {who} needs {needs} permissions to do this.")


class NoSuchApproval(Problem):
    """404: there is no approval of this id."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(HTTPStatus.NOT_FOUND, "ApprovalNotFoundException", "The approval does not exist or has been deleted.")


class AlreadyDecided(Problem):
    """409: the approval was given or refused before."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(HTTPStatus.CONFLICT, "ApprovalAlreadyCompletedException", "The approval has already been completed.")


class NoApprover(Problem):
    """403: somebody else was asked. The service's own status for it is not documented; clients tell it by its kind."""

    def __init__(self, who: str, approval: str) -> None:
        """Name both."""
        message = f"{who} is not authorized to update the approval {approval}."
        super().__init__(HTTPStatus.FORBIDDEN, "ApprovalUnauthorizedException", message)
