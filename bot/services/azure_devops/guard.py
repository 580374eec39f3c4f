"""Keep Microsoft's client within bounds: one origin, no retries, no redirects, no proxies.

Import this module only through ``bot.services.azure_devops.library``: the package reads the folder of its cache when it is imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from azure.devops._file_cache import OPTIONS_CACHE
from azure.devops.client import Client
from azure.devops.credentials import BasicAuthentication
from azure.devops.exceptions import ClientException
from urllib3 import Retry

from bot.errors import Unavailable
from bot.services.azure_devops.errors import AzureRefused
from bot.services.azure_devops.pace import Pace
from bot.services.azure_devops.verdict import NotSignedIn

USER_AGENT = "brother-maynard (release bot; https://github.com/python)"


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the clients behave: ``organization`` is the only address they know, ``timeout`` is in seconds for every wait for the network."""

    organization: str
    token: str = field(repr=False)
    timeout: float
    pace: Pace

    @property
    def origin(self) -> str:
        """Scheme, host and port of the organisation, in small letters."""
        return origin_of(self.organization)


class Guarded(Client):  # type: ignore[misc]  # the package has no types
    """What the bot's clients have in common.

    The package's ``Connection`` is left out: it asks the server where each area lies, and app.vssps.visualstudio.com, with the credentials,
    for areas that the server does not list.
    """

    def __init__(self, manner: Manner) -> None:
        """Ask nothing yet."""
        super().__init__(manner.organization, BasicAuthentication("", manner.token))
        self._manner = manner
        self.config.add_user_agent(USER_AGENT)
        self.config.connection.timeout = manner.timeout
        self.config.redirect_policy.allow = False
        self.config.proxies.use_env_settings = False
        self.config.session_configuration_callback = partial(_only, manner.origin)

    def _get_organization_resource_location(self, location_id: str) -> Any:  # noqa: ANN401 - the package's own
        """Return where a resource lies; never look above the organisation for it, as the package would."""
        location = super()._get_organization_resource_location(location_id)
        if location is None:
            # What was learned of the server is kept as long as the process lives, and on disk: it must be asked anew the next time.
            Client._locations_cache.pop(self.normalized_url, None)  # noqa: SLF001 - the package has no other way to forget
            self._locations.pop(self.normalized_url, None)
            OPTIONS_CACHE[self.normalized_url] = []
            raise Unavailable(f"{self._manner.organization} does not offer what the bot needs (resource {location_id})")
        return location

    def _send_request(
        self,
        request: Any,  # noqa: ANN401 - the package's own
        headers: Mapping[str, str] | None = None,
        content: object = None,
        media_type: str | None = None,
    ) -> Any:  # noqa: ANN401 - the package's own
        """Send one request: all of them go this way."""
        del media_type
        if origin_of(request.url) != self._manner.origin:
            raise AzureRefused(f"{origin_of(request.url)} is not the configured Azure DevOps organisation, so it was not asked")
        # A file is read piece by piece. Everything else is read at once and then the connection is closed: a write never meets a stale one.
        piecewise = "octet-stream" in (headers or {}).get("Accept", "")
        response = self._client.send(request=request, headers=headers, content=content, stream=piecewise)
        self._manner.pace.heed(response.headers)
        if response.status_code == HTTPStatus.NON_AUTHORITATIVE_INFORMATION:
            raise NotSignedIn
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            self._handle_error(request, response)
        return response

    def _handle_error(self, request: Any, response: Any) -> None:  # noqa: ANN401 - the package's own
        """Raise the package's error, and keep with it the status, which the package forgets."""
        try:
            super()._handle_error(request, response)
        except ClientException as error:
            error.status = response.status_code
            raise


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, in small letters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _only(origin: str, session: Any, _all: object, _local: object, **settings: object) -> dict[str, object]:  # noqa: ANN401 - the package's own
    """Leave a session no door but the one to the origin, so that it cannot even follow a link to another, and let it try nothing again.

    The package would repeat requests by itself, with older versions of urllib3 also writes, and hide the status of what it gave up.
    """
    door = f"{origin}/"
    if door not in session.adapters:
        adapter = session.get_adapter(door)
        session.adapters.clear()
        adapter.max_retries = Retry(0, read=False)
        session.mount(door, adapter)
    return settings
