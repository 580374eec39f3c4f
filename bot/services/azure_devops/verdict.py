"""What an error of the azure-devops package means: a definite no, or nothing that could be relied on.

The errors: https://github.com/microsoft/azure-devops-python-api/blob/dev/azure-devops/azure/devops/exceptions.py
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from azure.devops.client import DeserializationError
from azure.devops.exceptions import AuthenticationError, AzureDevOpsServiceError, ClientException

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer, one_line
from bot.services.azure_devops.errors import AzureRefused
from bot.services.azure_devops.pace import Pace

_HIDDEN = "[secret]"
_LONGEST = 1000
"""Characters of what the service says that are passed on: one sentence for each wrong parameter."""

_ASKS_FOR_PATIENCE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class NotSignedIn(Exception):
    """The service showed a page for signing in (status 203) in place of an answer."""


@contextmanager
def judging(what: str, pace: Pace, *, secret: str) -> Iterator[None]:
    """Turn the package's errors into AzureRefused and Unavailable; ``what`` was wanted, as ``queue a run of pipeline 21``.

    Nothing is chained: the package's errors hold requests with their credentials, and quote whatever was answered.
    """
    try:
        yield
    except NotSignedIn:
        raise _not_signed_in(what) from None
    except ClientException as error:
        raise _verdict(error, what, pace, secret) from None
    except OSError as error:  # of the network, in the middle of a file, or of the cache
        raise Unavailable(f"Azure DevOps was asked to {what}, and that broke off ({type(error).__name__})") from None
    except DeserializationError:
        raise MalformedAnswer(
            f"Azure DevOps was asked to {what}, and answered with something other than its description promises"
        ) from None


def _verdict(error: Exception, what: str, pace: Pace, secret: str) -> Exception:
    """Return what is raised in place of the package's error."""
    status = int(getattr(error, "status", 0))
    if isinstance(error, AuthenticationError):
        return _not_signed_in(what)
    definite = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _ASKS_FOR_PATIENCE
    if isinstance(error, AzureDevOpsServiceError) and definite:
        lines = [one_line(line.replace(secret, _HIDDEN)) for line in str(error.message).splitlines()]
        sentences = tuple(line for line in lines if line)
        said = one_line("; ".join(sentences), _LONGEST)
        kind = one_line(str(error.type_key or ""))
        return AzureRefused(f"Azure DevOps refused to {what}: {said}", status=status, kind=kind, sentences=sentences)
    if status:
        return Unavailable(f"Azure DevOps was asked to {what}, and answered with status {status}", retry_at=pace.not_before)
    cause = type(getattr(error, "inner_exception", None) or error).__name__
    return Unavailable(f"Azure DevOps was asked to {what}, and no answer came that could be used ({cause})")


def _not_signed_in(what: str) -> AzureRefused:
    return AzureRefused(
        f"Azure DevOps does not accept the bot's token, so it could not {what}: put a valid one into AZURE_DEVOPS_TOKEN",
        status=HTTPStatus.UNAUTHORIZED,
    )
