"""Hold requests and answers against Microsoft's own machine-readable descriptions of Azure DevOps.

They are Swagger 2.0 documents: https://github.com/MicrosoftDocs/vsts-rest-api-specs. Habits of the service that are not written there:
lists come wrapped as ``{"count": …, "value": […]}``, the version may be asked for in the header Accept, and parts of a path that
``x-ms-required`` calls optional may be left out; and an ``object`` without further description is anything at all.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT4

_VERSION = "api-version"
_BODY, _QUERY, _PATH = "body", "query", "path"
_LONGEST = 300

Json = Any
"""Foreign JSON, whose shape is what is being examined."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method on one path of one document; ``demands`` are the queries that the path itself names."""

    method: str
    template: str
    pattern: re.Pattern[str]
    demands: frozenset[str]
    parameters: tuple[Json, ...]
    answer: Json | None
    document: str = field(repr=False)


class OfficialAzure:
    """Microsoft's descriptions, as a judge of single requests and answers."""

    def __init__(self, *descriptions: Path) -> None:
        """Read the descriptions; raises OSError or ValueError when they cannot be read."""
        self._operations: list[Operation] = []
        self._registry: Registry[Json] = Registry()
        for path in descriptions:
            name = f"urn:azure:{path.stem}"
            document = _opened(json.loads(path.read_text(encoding="utf-8-sig").replace('"#/', f'"{name}#/')))
            self._registry = self._registry.with_resource(name, DRAFT4.create_resource(document))
            self._operations += _operations(name, document)

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: object, *, version: bool) -> list[str]:
        """Return what is wrong with a request, one sentence per problem; ``version`` tells whether a header asks for one."""
        candidates = [operation for operation in self._matching(method, path) if operation.demands <= query.keys()]
        if not candidates:
            return [f"{method} {path} is not described"]
        sent = {**query, **({_VERSION: "7.1"} if version else {})}
        # One path may stand for several operations that differ only in their queries: the nearest is meant.
        return min((list(self._problems(operation, path, sent, body)) for operation in candidates), key=len)

    def check_response(self, method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """Return what is wrong with a successful answer, one sentence per problem."""
        candidates = [operation for operation in self._matching(method, path) if operation.demands <= query.keys()]
        return min(
            (list(self._answer_problems(operation, body)) for operation in candidates), key=len, default=[f"{path} is not described"]
        )

    def _matching(self, method: str, path: str) -> Iterator[Operation]:
        return (operation for operation in self._operations if operation.method == method and operation.pattern.fullmatch(path))

    def _problems(self, operation: Operation, path: str, query: Mapping[str, str], body: object) -> Iterator[str]:
        match = operation.pattern.fullmatch(path)
        values = {name: unquote(value) for name, value in (match.groupdict() if match else {}).items() if value is not None}
        named = {(parameter["in"], parameter["name"]): parameter for parameter in operation.parameters}
        for name in query:
            if (_QUERY, name) not in named:
                yield f"the query parameter {name} is not described"
        for (place, name), parameter in named.items():
            given = {_QUERY: query, _PATH: values}.get(place, {})
            if place == _BODY:
                yield from self._body_problems(parameter, body)
            elif name in given:
                yield from self._value_problems(parameter, given[name])
            elif parameter.get("required") and parameter.get("x-ms-required", True):
                yield f"the {place} parameter {name} is missing"
        if body is not None and not any(place == _BODY for place, _ in named):
            yield "a body was sent, where none is described"

    def _answer_problems(self, operation: Operation, body: object) -> Iterator[str]:
        if operation.answer is None:
            return
        schema = self._resolved(operation.answer)
        if schema.get("type") == "array" and isinstance(body, dict):
            if set(body) != {"count", "value"}:
                yield "the list is not wrapped as the service wraps lists"
            body = body.get("value")
        yield from self._violations(operation.answer, body)

    def _value_problems(self, parameter: Json, text: str) -> Iterator[str]:
        kind, value = parameter.get("type"), text
        schema = {key: parameter[key] for key in ("type", "enum") if key in parameter}
        typed: object = value
        if kind == "integer" and re.fullmatch("-?[0-9]+", text):
            typed = int(text)
        if kind == "boolean" and text.lower() in ("true", "false"):
            typed = text.lower() == "true"
        for problem in self._violations(schema, typed):
            yield f"the {parameter['in']} parameter {parameter['name']}: {problem}"

    def _body_problems(self, parameter: Json, body: object) -> Iterator[str]:
        if body is None:
            yield "a body is missing"
            return
        yield from self._violations(parameter["schema"], body)
        yield from self._undescribed(parameter["schema"], body, "body")

    def _undescribed(self, schema: Json, value: object, place: str) -> Iterator[str]:
        """Find keys that the description does not name: the service ignores them, so they are mistakes."""
        schema = self._resolved(schema)
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                yield from self._undescribed(schema["items"], item, f"{place}[{number}]")
        if not isinstance(value, dict) or not schema:
            return
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            described = schema.get("properties", {}).get(key, rest)
            if described is None:
                yield f"{place}.{key} is not described"
            else:
                yield from self._undescribed(described, item, f"{place}.{key}")

    def _resolved(self, schema: Json) -> Json:
        """Follow references, and lay what a schema is made of together."""
        if "$ref" in schema:
            return self._resolved(self._registry.resolver().lookup(schema["$ref"]).contents)
        whole = dict(schema)
        for part in schema.get("allOf", ()):
            whole["properties"] = {**self._resolved(part).get("properties", {}), **whole.get("properties", {})}
        return whole

    def _violations(self, schema: Json, value: object) -> list[str]:
        return [_worded(error) for error in Draft4Validator(schema, registry=self._registry).iter_errors(value)]


def _operations(name: str, document: Json) -> Iterator[Operation]:
    """Yield all operations of a document; the shared parameters lie apart in it."""
    shared = {f"{name}#/parameters/{key}": parameter for key, parameter in document.get("parameters", {}).items()}
    for template, methods in [*document["paths"].items(), *document.get("x-ms-paths", {}).items()]:
        path, _, query = template.partition("?")
        for method, described in methods.items():
            parameters = tuple(shared[parameter["$ref"]] if "$ref" in parameter else parameter for parameter in described["parameters"])
            yield Operation(
                method=method.upper(),
                template=template,
                pattern=_pattern(path, parameters),
                demands=frozenset(part.partition("=")[0] for part in query.split("&") if part),
                parameters=parameters,
                answer=described["responses"].get("200", {}).get("schema"),
                document=name,
            )


def _opened(piece: Json) -> Json:
    """Take away the kind of what is called an object and not described further."""
    if isinstance(piece, list):
        return [_opened(item) for item in piece]
    if not isinstance(piece, dict):
        return piece
    if piece.get("type") == "object" and piece.keys() <= {"type", "description"}:
        return {}
    return {key: _opened(item) for key, item in piece.items()}


def _pattern(path: str, parameters: tuple[Json, ...]) -> re.Pattern[str]:
    """Match the raw paths of a template."""
    optional = {parameter["name"] for parameter in parameters if not parameter.get("x-ms-required", True)}
    pieces = []
    for segment in path.strip("/").split("/"):
        name = segment.strip("{}")
        if segment == name:
            pieces.append(f"/{re.escape(segment)}")
        else:
            pieces.append(f"(?:/(?P<{name}>[^/]+)){'?' if name in optional else ''}")
    return re.compile("".join(pieces), re.IGNORECASE)


def _worded(error: ValidationError) -> str:
    """Word one violation, with its place."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    message = error.message if len(error.message) <= _LONGEST else error.message[: _LONGEST - 1] + "…"
    return f"body{place}: {message}" if place else message
