"""Hold requests and answers against GitHub's own machine-readable description of its REST API.

The description is https://github.com/github/rest-api-description (OpenAPI), plain or gzipped JSON, whole or condensed: in the condensed
form a body's ``schema`` stands directly under ``requestBody`` and under each response instead of under ``content``. Where operations
differ between API versions (``breaking``), the differences of the given version are applied.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_BASE = "urn:github-rest"
_JSON = "application/json"
_SEVERAL_SEGMENTS = frozenset({"ref", "path", "basehead", "dir"})
_ERROR = f"{_BASE}#/components/schemas/basic-error"

Json = Any
"""Foreign JSON, whose shape is what is being examined."""


class NotDescribed(LookupError):
    """The description knows no such operation."""


@dataclass(frozen=True, kw_only=True)
class _Operation:
    """One method on one path; ``pointer`` leads to it in the description."""

    method: str
    template: str
    pointer: str
    description: Json

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Match the raw paths of this template."""
        parts = re.split(r"\{(\w+)\}", self.template)
        names = (f"(?P<{part}>{'.+' if part in _SEVERAL_SEGMENTS else '[^/]+'})" if odd % 2 else re.escape(part) for odd, part in enumerate(parts))
        return re.compile("".join(names))

    @property
    def literalness(self) -> int:
        """Count what is fixed in the template: of several that match, the most literal is meant."""
        return len(re.sub(r"\{\w+\}", "", self.template))


class OfficialGitHub:
    """GitHub's description, as a judge of single requests and answers."""

    def __init__(self, openapi: Path, *, version: str = "2026-03-10") -> None:
        """Read the description; raises OSError or ValueError when it cannot be read."""
        raw = openapi.read_bytes()
        self._document = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        self._operations: dict[str, list[_Operation]] = {}
        for template, methods in self._document["paths"].items():
            for method, description in methods.items():
                self._add(method.upper(), template, method, _at_version(description, version))
        self._registry: Registry[Json] = Registry().with_resource(_BASE, Resource(contents=self._document, specification=DRAFT202012))

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """Return what is wrong with a request, one sentence per problem; ``path`` as sent, ``body`` decoded, None or empty for none."""
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
        return [f"{method} {operation.template}: {problem}" for problem in problems]

    def check_response(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Return what is wrong with an answer, one sentence per problem; None for no body."""
        try:
            operation, _ = self._find(method, path)
        except NotDescribed as error:
            return [str(error)]
        where = f"{method} {operation.template} answered {status}"
        described = operation.description["responses"].get(str(status))
        if described is None:
            if status < 400:  # noqa: PLR2004 - errors of any kind may come from anywhere
                return [f"{where}: no such answer is described"]
            return [f"{where}: {problem}" for problem in self._violations({"$ref": _ERROR}, body)]
        schema = self._schema(self._resolve(described), f"{operation.pointer}/responses/{status}")
        if schema is None:
            return [] if body is None else [f"{where}: no body is described"]
        return [f"{where}: {problem}" for problem in self._violations(schema, body)]

    def example(self, name: str) -> object:
        """Return the official example of a component, for instance ``issue-comment``."""
        return json.loads(json.dumps(self._document["components"]["examples"][name]["value"]))

    def _add(self, method: str, template: str, key: str, description: Json) -> None:
        self._document["paths"][template][key] = description
        pointer = f"#/paths/{_escaped(template)}/{key}"
        operation = _Operation(method=method, template=template, pointer=pointer, description=description)
        self._operations.setdefault(f"{method} {template.split('/')[1]}", []).append(operation)

    def _find(self, method: str, path: str) -> tuple[_Operation, dict[str, str]]:
        """Return the operation a raw path belongs to, and the values in it, unquoted."""
        candidates = self._operations.get(f"{method.upper()} {path.split('/')[1] if '/' in path else ''}", [])
        matches = [(operation, match) for operation in candidates if (match := operation.pattern.fullmatch(path))]
        if not matches:
            raise NotDescribed(f"{method} {path} is not part of GitHub's API")
        operation, match = max(matches, key=lambda found: found[0].literalness)
        return operation, {name: unquote(value) for name, value in match.groupdict().items()}

    def _path_problems(self, parameters: list[Json], values: Mapping[str, str]) -> Iterator[str]:
        for parameter in parameters:
            if parameter["in"] == "path":
                yield from self._parameter_problems(parameter, values[parameter["name"]])

    def _query_problems(self, parameters: list[Json], query: Mapping[str, str]) -> Iterator[str]:
        known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
        for name, text in query.items():
            if name not in known:
                yield f"the query parameter {name} is not described"
            else:
                yield from self._parameter_problems(known[name], text)
        yield from (f"the query parameter {name} is missing" for name, one in known.items() if one.get("required") and name not in query)

    def _parameter_problems(self, parameter: Json, text: str) -> Iterator[str]:
        schema = parameter.get("schema", {})
        for problem in self._violations(schema, _typed(schema, text)):
            yield f"the {parameter['in']} parameter {parameter['name']}: {problem}"

    def _body_problems(self, operation: _Operation, body: object) -> Iterator[str]:
        described = operation.description.get("requestBody")
        if described is None:
            if body:
                yield "a body was sent, where none is described"
            return
        schema = self._schema(described, f"{operation.pointer}/requestBody")
        if body is None and not described.get("required", False):
            return
        if schema is not None:
            yield from self._violations(schema, body)
            yield from self._undescribed(schema, body, "body")

    def _undescribed(self, schema: Json, value: object, place: str) -> Iterator[str]:
        """Find keys that no description names: GitHub ignores them silently, so they are always mistakes."""
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
        validator = Draft202012Validator(self._anchored(schema), registry=self._registry)
        return [_worded(error) for error in validator.iter_errors(value)]

    def _schema(self, described: Json, pointer: str) -> Json | None:
        """Return the schema of a body, as a reference into the description."""
        del pointer
        content = described.get("content", {}).get(_JSON, {})
        schema = described.get("schema", content.get("schema"))
        return schema or None

    def _anchored(self, schema: Json) -> Json:
        """Let the references of a piece of the description be found."""
        return {"$id": f"{_BASE}/piece", **schema} if False else schema

    def _resolve(self, piece: Json) -> Json:
        """Follow references."""
        while "$ref" in piece:
            target = self._document
            for part in piece["$ref"].removeprefix(_BASE).removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            piece = target
        return piece
