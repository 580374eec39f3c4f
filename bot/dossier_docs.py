"""Write ``docs/dossier.md`` and the JSON schema from the types of a dossier, so that neither can say something else than the program."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from bot.release.dossier import FORMAT, Dossier

Schema = Mapping[str, Any]
"""A piece of a JSON schema (https://json-schema.org/draft/2020-12)."""

_INTRODUCTION: Final = f"""\
<!-- Written by `make docs` from bot/release/dossier. -->

# The dossier of a release

When a release has ended, well or not, one JSON document holds everything that is known of it: every id, hash, signature, approval, waiver,
run and duration. It is at `/releases/PROJECT/VERSION/dossier.json`, and at `/releases/PROJECT/VERSION/dossier` as a page for people. Its
SHA-256 stands in the status comment on the issue, which GitHub keeps and not the bot, and in the last comment, with the thanks.

- **It never changes again.** It closes when the last step before the wrap-up has ended, and what is said or done afterwards is not part of
  it. Its bytes are made from the stored release alone, so they are the same at any time.
- **It binds the journal.** `journal` is where the chain of everything that was commanded, learnt, decided and done ended at that time
  (`bot/journal.py`). In turn the journal's next entry holds the digest.
- **An aborted release has one too.** As another release of the same version may follow, its address ends in `?release=ID`.
- **No secret is in it.** What looks like one is replaced by `[secret]`.

To check one:

```console
$ curl -fsS https://BOT/releases/cpython/VERSION/dossier.json | sha256sum
$ curl -fsSO https://BOT/releases/cpython/VERSION/dossier.json
$ python -m bot dossier check dossier.json SHA256
```

The second way needs nothing of the bot but its code: it tells whether the bytes have that digest and are written as they should be, whether
they have the form below, and whether each tag object has the id that is named.

The bytes are canonical JSON as of [RFC 8785](https://www.rfc-editor.org/rfc/rfc8785): keys in order, no white space, UTF-8. All times are
ISO 8601 in UTC, all lengths of time whole seconds, all hashes hexadecimal in small letters. Every key is always there; what there is
nothing to say of is null. This is format {FORMAT}: keys of a format never change, for every digest that was published depends on them.
Format 1 had no seal and was never released.

`python -m bot dossier schema` prints the same as a JSON schema; the bot serves it at `/dossier.schema.json`.
"""

_TYPES: Final = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


@cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of a dossier."""
    whole = TypeAdapter(Dossier).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines(schema())) + "\n"


def _lines(whole: Schema) -> Iterator[str]:
    yield _INTRODUCTION
    parts = whole["$defs"]
    yield from _section("Dossier", whole)
    for name in _in_order(whole, parts):
        yield from _section(name, parts[name])


def _in_order(whole: Schema, parts: Schema) -> list[str]:
    """Return the parts in the order in which they are first named."""
    names: dict[str, None] = {}

    def visit(part: Schema) -> None:
        for value in part["properties"].values():
            for name in _references(value):
                if name not in names:
                    names[name] = None
                    visit(parts[name])

    visit(whole)
    return list(names)


def _references(value: Schema) -> Iterator[str]:
    if "$ref" in value:
        yield value["$ref"].rpartition("/")[2]
    for one in (*value.get("anyOf", ()), *([value["items"]] if "items" in value else [])):
        yield from _references(one)


def _section(name: str, part: Schema) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{part['description']}\n"
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key, value in part["properties"].items():
        meaning = " ".join(value.get("description", "").split()).replace("|", "\\|")
        yield f"| `{key}` | {_type(value)} | {meaning} |"
    yield ""


def _type(value: Schema) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_type(one) for one in value["anyOf"])
    if "const" in value:
        return f"`{value['const']}`"
    if value["type"] == "array":
        return f"list of {_type(value['items'])}"
    return _TYPES[value["type"]]
