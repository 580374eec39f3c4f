"""Check our own webhook payloads against GitHub's published schemas, where those are at hand."""

import gzip
import json
from pathlib import Path

from jsonschema import Draft202012Validator

from bot.rehearsal.github_model import JsonObject

WITHOUT_ACTION = frozenset({"push", "create", "delete", "ping", "fork", "status", "workflow-dispatch"})
"""Events whose payload has no ``action`` and whose schema is therefore named by the event alone."""

LEFT_OUT = frozenset({"workflow_job"})
"""Events that the schemas at hand may leave out; their payload is made of shapes that REST answers, which are checked there."""

INCOMPLETE = "performed_via_github_app.events["
"""Where the schemas enumerate the events an App may subscribe to, and know only the older ones."""


class WebhookSchemas:
    """The schemas of the npm package ``@octokit/openapi-webhooks``, one per event and action."""

    def __init__(self, path: Path | None) -> None:
        """Read the gzipped JSON; without a path every payload passes unchecked."""
        self._document: JsonObject = {} if path is None else json.loads(gzip.decompress(path.read_bytes()))
        self._validators: dict[str, Draft202012Validator] = {}

    def problems(self, event: str, payload: JsonObject) -> list[str]:
        """Return what is wrong with a payload, one sentence per problem."""
        if not self._document:
            return []
        name = event.replace("_", "-")
        if name not in WITHOUT_ACTION:
            name = f"{name}-{str(payload.get('action')).replace('_', '-')}"
        webhooks = self._document["webhooks"]
        if not isinstance(webhooks, dict) or name not in webhooks:
            return [] if event in LEFT_OUT else [f"there is no webhook {name}"]
        errors = self._validator(name, webhooks[name]).iter_errors(payload)
        return [f"webhook {name}: {error.json_path}: {error.message[:300]}" for error in errors if INCOMPLETE not in error.json_path]

    def _validator(self, name: str, schema: JsonObject) -> Draft202012Validator:
        if name not in self._validators:
            self._validators[name] = Draft202012Validator({**schema, "components": self._document["components"]})
        return self._validators[name]
