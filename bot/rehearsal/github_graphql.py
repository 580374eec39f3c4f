"""Answer GraphQL queries about what REST does not show of branch protection: https://docs.github.com/en/graphql/reference/branches.

Only what the rehearsal knows can be asked, by fields and arguments that GitHub documents; anything else is refused as GitHub would.
"""

import re
from collections.abc import Iterator

from bot.rehearsal.github_model import JsonObject

Field = tuple[str, frozenset[str]]
"""The type of a field, empty for a plain value, and the arguments it takes."""

SCHEMA: dict[str, dict[str, Field]] = {
    "Query": {"repository": ("Repository", frozenset({"owner", "name"}))},
    "Repository": {
        "isInOrganization": ("", frozenset()),
        "mergeQueue": ("MergeQueue", frozenset({"branch"})),
        "ref": ("Ref", frozenset({"qualifiedName"})),
    },
    "MergeQueue": {"id": ("", frozenset())},
    "Ref": {"name": ("", frozenset()), "branchProtectionRule": ("BranchProtectionRule", frozenset())},
    "BranchProtectionRule": {
        "pattern": ("", frozenset()),
        "requiresDeployments": ("", frozenset()),
        "bypassForcePushAllowances": ("Connection", frozenset({"first"})),
        "matchingRefs": ("Connection", frozenset({"first", "query"})),
    },
    "Connection": {"totalCount": ("", frozenset())},
}

_TOKEN = re.compile(r"[{}():$!,]|\w+|\"[^\"]*\"")

Selection = dict[str, "Selection"]
"""The fields of a query, each with what is asked of it."""


class BadQuery(Exception):
    """The query asks for something that GitHub does not document, or this GitHub does not know."""


def selected(query: str) -> Selection:
    """Return what a query asks for; raise BadQuery."""
    words = iter(_TOKEN.findall(query))
    first = next(words, "")
    if first == "query":
        # The declaration of variables, which GitHub needs and which says nothing about the answer.
        for first in words:
            if first == "{":
                break
    if first != "{":
        raise BadQuery("Only queries are answered here.")
    return _selection(words, "Query")


def answer_for(selection: Selection, data: object) -> object:
    """Return of all that is known what was asked for."""
    if not isinstance(data, dict) or not selection:
        return data
    return {name: answer_for(inner, data.get(name)) for name, inner in selection.items()}


def refused(message: str, kind: str = "undefinedField") -> JsonObject:
    """Return the answer to a query that is not answered."""
    return {"errors": [{"message": message, "type": kind}]}


def _selection(words: Iterator[str], kind: str) -> Selection:
    fields: Selection = {}
    last = ""
    for word in words:
        if word == "}":
            return fields
        if word == "(":
            _check_arguments(words, kind, last)
        elif word == "{":
            fields[last] = _selection(words, SCHEMA[kind][last][0])
        else:
            last = word
            if last not in SCHEMA.get(kind, {}):
                raise BadQuery(f"Field '{last}' doesn't exist on type '{kind}'")
            fields[last] = {}
    raise BadQuery("Expected one of SCHEMA, SCALAR, TYPE; the query ends too early")


def _check_arguments(words: Iterator[str], kind: str, field: str) -> None:
    before = ""
    for word in words:
        if word == ")":
            return
        if before in ("", ",") and word not in SCHEMA[kind][field][1]:
            raise BadQuery(f"Field '{field}' doesn't accept argument '{word}'")
        before = word
