"""Write `docs/profile.md` from the types of a profile, so that the page can never say something else than the program."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.profile import Profile
from bot.profile.types import FLOORS

Schema = Mapping[str, Any]
"""A piece of a JSON schema (https://json-schema.org/draft/2020-12), as pydantic writes it."""

_INTRODUCTION: Final = """\
<!-- Written by `make docs` from bot/profile/types.py. -->

# The profile of a project

A profile is one TOML file. `BOT_PROFILE` names the profiles to serve: `cpython`, which comes with the bot, or the path of your own.
`minimal` is the smallest one that works; start from a copy of it. `python -m bot profile check FILE` reads a profile and says of every
mistake in which line it is, which key it concerns, and what is allowed. A key without a default has to be there; a key that is not listed
here is refused.
"""

_FLOORS: Final = """\
The shipped profiles, and every profile with `production = true`, are held to the shortest waits, in seconds, that other people's machines
bear:
"""

_TYPES: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}


def page() -> str:
    """Return the whole page as Markdown."""
    schema = Profile.model_json_schema()
    return "\n".join(_Writer(definitions=schema["$defs"]).page(schema)) + "\n"


@dataclass(frozen=True)
class _Writer:
    """Turns the schema into lines."""

    definitions: Mapping[str, Schema]

    def page(self, schema: Schema) -> Iterator[str]:
        """Write every top table."""
        yield _INTRODUCTION
        for key, value in schema["properties"].items():
            yield from self.section(_heading(key, value), key, value)
            if key == "timing":
                yield _FLOORS + ", ".join(f"`{name}` {floor:g}" for name, floor in FLOORS.items()) + ".\n"

    def section(self, heading: str, path: str, value: Schema) -> Iterator[str]:
        """Write one table and the tables inside it."""
        table = self.table(value)
        yield f"## `{heading}`\n"
        yield f"{self.meaning(value)}\n"
        yield "| key | value | default | meaning |"
        yield "|---|---|---|---|"
        required = table.get("required", ())
        inner = []
        for key, entry in table["properties"].items():
            yield f"| `{key}` | {self.type_of(entry)} | {'' if key in required else _default(entry)} | {self.meaning(entry)} |"
            inner += [(key, entry)] if "properties" in self.table(entry) else []
        yield ""
        for key, entry in inner:
            yield from self.section(f"{path}.{key} = [{{ … }}]", f"{path}.{key}", entry)

    def resolved(self, value: Schema) -> Schema:
        """Follow a reference, also that of a table that may be left out."""
        reference = value.get("$ref") or next((one["$ref"] for one in value.get("anyOf", ()) if "$ref" in one), None)
        return self.definitions[reference.rpartition("/")[2]] if reference else value

    def meaning(self, value: Schema) -> str:
        """Return the description, on one line; pydantic leaves it out where it is that of the type."""
        text = value.get("description") or self.resolved(value)["description"]
        return " ".join(text.split()).replace("|", "\\|")

    def table(self, value: Schema) -> Schema:
        """Return the table that a value is, or holds any number of."""
        value = self.resolved(value)
        inside = value.get("items") or value.get("additionalProperties") or value
        return self.resolved(inside) if isinstance(inside, Mapping) else value

    def type_of(self, value: Schema) -> str:
        """Say what may be written."""
        value = self.resolved(value)
        if "anyOf" in value:
            return self.type_of(value["anyOf"][0])
        if choices := value.get("enum") or ([value["const"]] if "const" in value else []):
            return ", ".join(f'`"{choice}"`' for choice in choices)
        if value["type"] == "array":
            return f"list: {self.type_of(value['items'])}"
        if value["type"] == "object":
            return "table"
        return _form(value) + _limits(value)


def _heading(key: str, value: Schema) -> str:
    if value.get("type") == "array":
        return f"[[{key}]]"
    return f'[{key}."…"]' if "additionalProperties" in value else f"[{key}]"


def _form(value: Schema) -> str:
    example = "".join(f", such as `{example}`" for example in value.get("examples", ()))
    return str(value.get("format", _TYPES[value["type"]])) + example


def _limits(value: Schema) -> str:
    limits = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most"}
    return "".join(f", {words} {value[key]:g}" for key, words in limits.items() if key in value)


def _default(value: Schema) -> str:
    default = value.get("default")
    if default is None or default in ([], {}):
        return "none"
    written = re.sub(r'"(\w+)": ', r"\1 = ", json.dumps(default, ensure_ascii=False))
    return f"`{written}`"
