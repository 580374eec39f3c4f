"""The forms of single values in a profile, each with the sentence that refuses another form."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from bot.release.ids import Repository, UserId
from bot.release.quoting import shown
from bot.release.version import Kind


def misfit(sentence: str, *where: str | int) -> PydanticCustomError:
    """Return the error of a table whose keys do not fit together; ``where`` leads from the table to the key at fault."""
    return PydanticCustomError("misfit", "{sentence}", {"sentence": sentence, "where": where})


def repeated(values: Iterable[str]) -> str | None:
    """Return the first text that occurs twice, without regard to case, as GitHub compares names."""
    seen: set[str] = set()
    for value in values:
        if value.casefold() in seen:
            return value
        seen.add(value.casefold())
    return None


def _kind(value: object) -> object:
    """Read a kind as the word that ``--as`` takes for it."""
    slugs = {kind.slug: kind for kind in Kind}
    if isinstance(value, str) and value not in slugs:
        sentence = f"{shown(value)} is not a kind of release: write one of {', '.join(slugs)}"
        raise misfit(sentence)
    return slugs[value] if isinstance(value, str) else value


@dataclass(frozen=True)
class Form:
    """The form of a text: what it is, an example, and the pattern that it must match as a whole."""

    what: str
    example: str
    pattern: str

    def check(self, value: str) -> str:
        """Return the text; raise a misfit when it has another form."""
        if re.fullmatch(self.pattern, value):
            return value
        sentence = f"{shown(value)} is not {self.what}: write it like {self.example}"
        raise misfit(sentence)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the form after the type."""
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the form."""
        return handler(schema) | {"format": self.what, "examples": [self.example]}


def _without_spaces(value: object) -> object:
    return value.replace(" ", "").upper() if isinstance(value, str) else value


def _with_placeholders(value: str) -> str:
    """Refuse braces that would stay empty or could not be read."""
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        found = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError:
        sentence = f"{shown(value)} has a brace without its partner: write {known}, or {{{{ and }}}} for braces themselves"
        raise misfit(sentence) from None
    strange = next((name for name in found if name not in PLACEHOLDERS), None)
    if strange is not None:
        sentence = f"{{{strange}}} stands for nothing: write {known}"
        raise misfit(sentence)
    return value


def _ssh_key(value: str) -> str:
    parts = value.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error):
        blob = b""
    if len(parts) < 2 or parts[0].encode() not in blob[:64]:  # noqa: PLR2004 - the type and the key
        sentence = "this is not an SSH public key: write its type and its base64 text, as https://github.com/LOGIN.keys shows them"
        raise misfit(sentence)
    return f"{parts[0]} {parts[1]}"


PLACEHOLDERS: Final = ("version", "tag", "commit", "fork", "owner", "series", "next")
"""What stands in braces in texts of a profile, and is filled in for a release."""

_ACCOUNT: Final = "[A-Za-z0-9][A-Za-z0-9-]{0,38}"

# The name becomes a part of ids, markers, rule names and addresses, so it is plain.
ProjectName = Annotated[str, Form("a short plain name", "cpython", "[A-Za-z][A-Za-z0-9._-]{0,38}")]
RepositoryName = Annotated[Repository, Form("a repository as OWNER/NAME", "python/cpython", _ACCOUNT + "/[A-Za-z0-9._-]{1,100}")]
TeamName = Annotated[str, Form("a team as ORGANISATION/TEAM", "python/release-managers", _ACCOUNT + "/[a-z0-9_-]+")]
Login = Annotated[str, Form("a GitHub login", "hugovk", _ACCOUNT)]
AccountId = Annotated[UserId, Field(ge=0)]
SeriesName = Annotated[str, Form("a series", "3.15", r"[0-9]{1,4}\.[0-9]{1,4}")]
BranchName = Annotated[str, Form("a branch", "3.15", "[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")]
Fingerprint = Annotated[
    str,
    Form("the full fingerprint of an OpenPGP key", "7169 605F 62C7 5135 6D05 4A26 A821 E680 E5FA 6305", "[0-9A-F]{40}"),
    BeforeValidator(_without_spaces),
]
SshKey = Annotated[
    str, AfterValidator(_ssh_key), WithJsonSchema({"type": "string", "format": "an SSH public key, its type and its base64 text"})
]
Url = Annotated[str, Form("an https address", "https://github.com/login/oauth", "https://[!-~]+")]
RepositoryPath = Annotated[str, Form("a path inside the repository", "Doc/**/*.rst", r"[^/\\\s][^\\\s]*")]
KindSlug = Annotated[Kind, BeforeValidator(_kind), WithJsonSchema({"enum": [kind.slug for kind in Kind]})]
Pattern = Annotated[str, AfterValidator(_with_placeholders)]
"""A text with placeholders."""
PackageId = Annotated[str, Form("the id of a package on NuGet", "python-freethreaded", "[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*")]
Oid = Annotated[str, Form("an object identifier", "1.3.6.1.5.5.7.3.3", r"[0-2](?:\.[0-9]+){2,40}")]
VersionText = Annotated[str, Form("a version", "3.13.2", r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}(?:(?:a|b|rc)[0-9]{1,4})?")]
Seconds = Annotated[float, Field(gt=0)]
