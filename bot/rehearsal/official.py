"""Hold requests and answers against GitHub's own machine-readable description of its REST API.

The description is https://github.com/github/rest-api-description (OpenAPI), plain or gzipped JSON, whole or condensed: in the condensed
form a body's ``schema`` stands directly under ``requestBody`` and under each response instead of under ``content``. Where operations
differ between API versions (``breaking``), the differences of the given version are applied.
"""

import copy
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cachetools import LRUCache
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_BASE = "urn:github-rest"
_JSON = "application/json"
_SEVERAL_SEGMENTS = frozenset({"ref", "path", "basehead", "dir"})
_LOCAL_REFERENCE = re.compile(rb'("\$ref"\s*:\s*")#/')
_LONGEST = 300

Json = Any
"""Foreign JSON, whose shape is what is being examined."""


class NotDescribed(LookupError):
    """The description knows no such operation."""


@dataclass(frozen=True)
class Operation:
    """One method on one path."""

    method: str
    template: str
    description: Json

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Match the raw paths of this template."""
        places = re.split(r"\{(\w+)\}", self.template)
        for index in range(1, len(places), 2):
            name = places[index]
            places[index] = f"(?P<{name}>{'.+' if name in _SEVERAL_SEGMENTS else '[^/]+'})"
        places[::2] = [re.escape(fixed) for fixed in places[::2]]
        return re.compile("".join(places))

    @cached_property
    def fixed(self) -> int:
        """Count the fixed characters: of several templates that match, the one with most of them is meant."""
        return len(re.sub(r"\{\w+\}", "", self.template))


class OfficialGitHub:
    """GitHub's description, as a judge of single requests and answers."""

    def __init__(self, openapi: Path, *, version: str = "2026-03-10") -> None:
        """Read the description; raises OSError or ValueError when it cannot be read."""
        raw = openapi.read_bytes()
        text = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
        self._document = json.loads(_LOCAL_REFERENCE.sub(rb"\g<1>" + _BASE.encode() + b"#/", text))
        old_dialect = self._document.get("openapi", "3.1").startswith("3.0")
        self._validator = OAS30Validator if old_dialect else Draft202012Validator
        self._registry: Registry[Json] = Registry().with_resource(_BASE, DRAFT202012.create_resource(self._document))
        # The same is asked and answered again and again, and what was right once is right.
        self._right: LRUCache[tuple[object, ...], bool] = LRUCache(maxsize=2_000)
        self._found: LRUCache[tuple[str, str], tuple[Operation, dict[str, str]]] = LRUCache(maxsize=2_000)
        self._operations: dict[tuple[str, str], list[Operation]] = {}
        for template, methods in self._document["paths"].items():
            for method, description in methods.items():
                operation = Operation(method.upper(), template, _at_version(_whole(description), version))
                self._operations.setdefault((operation.method, _first_segment(template)), []).append(operation)

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """Return what is wrong with a request, one sentence per problem.

        ``path`` is taken as sent, still quoted; ``body`` is decoded JSON, None or ``{}`` for none.
        """
        try:
            operation, values = self._find(method, path)
        except NotDescribed as error:
            return [str(error)]
        parameters = [self._resolve(parameter) for parameter in operation.description.get("parameters", [])]
        problems = [
            *self._path_problems(parameters, values),
            *self._query_problems(parameters, query),
            *self._body_problems(operation, body),
        ]
        return [f"{operation.method} {operation.template}: {problem}" for problem in problems]

    def check_response(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Return what is wrong with an answer, one sentence per problem; ``body`` is decoded JSON, None for none.

        Errors (400 and up) may come from anywhere, so those that an operation does not describe must only look like GitHub's errors.
        """
        try:
            operation, _ = self._find(method, path)
        except NotDescribed as error:
            return [str(error)]
        where = f"{operation.method} {operation.template} answered {status}"
        described = operation.description["responses"].get(str(status))
        if described is None:
            if status < HTTPStatus.BAD_REQUEST:
                return [f"{where}: no such answer is described"]
            schema: Json = {"$ref": f"{_BASE}#/components/schemas/basic-error"}
        else:
            schema = _schema(self._resolve(described))
        if schema is None and status >= HTTPStatus.BAD_REQUEST:
            schema = {"$ref": f"{_BASE}#/components/schemas/basic-error"}
        if schema is None:
            return [f"{where}: no body is described"] if body is not None else []
        same = (operation.method, operation.template, status, json.dumps(body))
        if same in self._right:
            return []
        problems = [f"{where}: {problem}" for problem in self._violations(schema, body)]
        if not problems:
            self._right[same] = True
        return problems

    def example(self, name: str) -> Json:
        """Return a copy of the official example of a component, for instance ``issue-comment``; raises KeyError."""
        return copy.deepcopy(self._document["components"]["examples"][name]["value"])

    def _find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation a quoted path belongs to, and the values in it, unquoted."""
        known = self._found.get((method, path))
        if known is None:
            known = self._found[method, path] = self._search(method, path)
        return known

    def _search(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        candidates = self._operations.get((method.upper(), _first_segment(path)), [])
        matches = [(operation, match) for operation in candidates if (match := operation.pattern.fullmatch(path))]
        if not matches:
            raise NotDescribed(f"{method} {path} is not part of GitHub's API")
        operation, match = max(matches, key=lambda found: found[0].fixed)
        return operation, {name: unquote(value) for name, value in match.groupdict().items()}

    def _path_problems(self, parameters: list[Json], values: Mapping[str, str]) -> Iterator[str]:
        """Judge the values in the path."""
        for parameter in parameters:
            if parameter["in"] == "path":
                yield from self._parameter_problems(parameter, values[parameter["name"]])

    def _query_problems(self, parameters: list[Json], query: Mapping[str, str]) -> Iterator[str]:
        """Judge the query."""
        known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
        for name, text in query.items():
            if name in known:
                yield from self._parameter_problems(known[name], text)
            else:
                yield f"the query parameter {name} is not described"
        for name, parameter in known.items():
            if parameter.get("required") and name not in query:
                yield f"the query parameter {name} is missing"

    def _parameter_problems(self, parameter: Json, text: str) -> Iterator[str]:
        """Judge one value, which came as text."""
        schema = self._resolve(parameter.get("schema", {}))
        for problem in self._violations(schema, _typed(schema, text)):
            yield f"the {parameter['in']} parameter {parameter['name']}: {problem}"

    def _body_problems(self, operation: Operation, body: object) -> Iterator[str]:
        """Judge the body."""
        described = operation.description.get("requestBody")
        if described is None:
            if body:
                yield "a body was sent, where none is described"
            return
        schema = _schema(described)
        if schema is None or (not body and not described.get("required", False)):
            return
        yield from self._violations(schema, body)
        yield from self._undescribed(schema, body, "body")

    def _undescribed(self, schema: Json, value: object, place: str) -> Iterator[str]:
        """Find keys that the description does not name: GitHub ignores them, so they are mistakes."""
        schema = self._resolve(schema)
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                yield from self._undescribed(schema["items"], item, f"{place}[{number}]")
        properties = schema.get("properties")
        if not isinstance(value, dict) or not properties or schema.get("additionalProperties"):
            return
        for key, item in value.items():
            if key in properties:
                yield from self._undescribed(properties[key], item, f"{place}.{key}")
            else:
                yield f"{place}.{key} is not described"

    def _violations(self, schema: Json, value: object) -> list[str]:
        """Return where a value breaks a schema, in words."""
        return [_worded(error) for error in self._validator(schema, registry=self._registry).iter_errors(value)]

    def _resolve(self, piece: Json) -> Json:
        """Follow references within the description."""
        while "$ref" in piece:
            target = self._document
            for part in piece["$ref"].removeprefix(f"{_BASE}#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            piece = target
        return piece


def _first_segment(path: str) -> str:
    """Return what operations are sorted by."""
    return path.lstrip("/").partition("/")[0]


def _schema(described: Json) -> Json | None:
    """Return the schema of a JSON body, or None where none is described."""
    return _with_content(described).get("content", {}).get(_JSON, {}).get("schema") or None


def _whole(operation: Json) -> Json:
    """Return a condensed operation in OpenAPI's own form."""
    whole = dict(operation)
    if "requestBody" in operation:
        whole["requestBody"] = _with_content(operation["requestBody"])
    whole["responses"] = {status: _with_content(response) for status, response in operation.get("responses", {}).items()}
    return whole


def _with_content(described: Json) -> Json:
    """Put a condensed body's schema where OpenAPI has it."""
    if "schema" not in described:
        return described
    return {**{key: value for key, value in described.items() if key != "schema"}, "content": {_JSON: {"schema": described["schema"]}}}


def _at_version(operation: Json, version: str) -> Json:
    """Apply the breaking changes up to a version of the API."""
    for change in operation.get("breaking", []):
        if change["version"] <= version:
            patch = change["patch"]
            operation = _merged(operation, patch) if isinstance(patch, dict) else _without(operation, patch)
    return operation


def _merged(target: Json, patch: Json) -> Json:
    """Apply a JSON merge patch: https://www.rfc-editor.org/rfc/rfc7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _without(operation: Json, patch: Json) -> Json:
    """Apply the removals of a JSON patch (https://www.rfc-editor.org/rfc/rfc6902); GitHub's other steps only reword texts."""
    result = copy.deepcopy(operation)
    for step in patch:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        if step["op"] == "remove":
            target = result
            for part in parents:
                target = target.get(part, {})
            target.pop(last, None)
    return result


def _typed(schema: Json, text: str) -> object:
    """Read a value of a path or a query as the kind that its schema names."""
    kinds = schema.get("type", "string")
    if "integer" in kinds and re.fullmatch("-?[0-9]+", text):
        return int(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text


def _worded(error: ValidationError) -> str:
    """Word one violation, with its place; of alternatives the nearest miss."""
    nearest = best_match(error.context or []) or error
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in nearest.absolute_path)
    message = nearest.message if len(nearest.message) <= _LONGEST else nearest.message[: _LONGEST - 1] + "…"
    return f"body{place}: {message}" if place else message
