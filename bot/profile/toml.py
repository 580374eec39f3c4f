"""Read a TOML file into types, and say of every mistake where it is: file, line and key."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import UserError
from bot.profile.lines import Where, locate
from bot.release.quoting import shown

Model = TypeVar("Model", bound=BaseModel)

_POSITION: Final = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class ProfileError(UserError):
    """A profile cannot be used; each line of the text is one sentence about one mistake."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A TOML file that has been read but not yet judged."""

    path: Path
    data: dict[str, Any]
    lines: dict[Where, int]

    def validate(self, model: type[Model]) -> Model:
        """Turn the file into the model; raise ProfileError with one sentence for every mistake."""
        try:
            # JSON has no tuples, paths and enums of its own, so pydantic's strict mode takes them from strings and lists there.
            return model.model_validate_json(json.dumps(self.data, default=str))
        except ValidationError as error:
            raise self.refusal([(_where(detail), explained(detail, model)) for detail in error.errors(include_url=False)]) from None

    def refusal(self, mistakes: Sequence[tuple[Where, str]]) -> ProfileError:
        """Return the error that tells these mistakes, each a place and a sentence without its full stop, in the order of the file."""
        placed = sorted((self.line(where), named(where), sentence) for where, sentence in mistakes)
        return ProfileError("\n".join(f"{self.path}, line {line}: {key}: {sentence}." for line, key, sentence in placed))

    def line(self, where: Where) -> int:
        """Return the line of a key, or of the nearest table around it that is written down."""
        return next((self.lines[where[:length]] for length in range(len(where), 0, -1) if where[:length] in self.lines), 1)


def read_toml(path: Path) -> Document:
    """Read a TOML file; raise ProfileError when it cannot be read or is not TOML."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        message = f"{path} cannot be read, because the system says: {error.strerror}."
        raise ProfileError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path} is not a text in UTF-8, which TOML has to be: save it as UTF-8."
        raise ProfileError(message) from error
    except tomllib.TOMLDecodeError as error:
        found = _POSITION.search(str(error))
        line = found["line"] if found and found["line"] else str(text.count("\n") + 1)
        message = f"{path}, line {line}: this is not TOML: {_POSITION.sub('', str(error))}."
        raise ProfileError(message) from error
    return Document(path=path, data=data, lines=locate(text))


def named(where: Where) -> str:
    """Write a place as a person would: ``person[2].login``, counting from 1."""
    text = ""
    for part in where:
        match part:
            case int():
                text += f"[{part + 1}]"
            case str() if re.fullmatch(r"[A-Za-z0-9_-]+", part):
                text += f".{part}"
            case str():
                text += f'."{part}"'
    return text.removeprefix(".") or "the file"


def _where(detail: ErrorDetails) -> Where:
    """Return the place of a mistake; an error of a whole table may say where in the table it is."""
    return (*(part for part in detail["loc"] if part != "[key]"), *detail.get("ctx", {}).get("where", ()))


def explained(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Say what is wrong and what is allowed, as a sentence without its full stop."""
    where, given, context = detail["loc"], shown(str(detail["input"])), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            allowed = keys_at(model, where[:-1])
            return f"there is no such key{did_you_mean(str(where[-1]), allowed)}; the keys here are {', '.join(allowed)}"
        case "missing":
            return "this key is missing and has no default: add it"
        case "misfit":
            return str(context["sentence"])
        case "enum" | "literal_error":
            expected = str(context["expected"])
            near = did_you_mean(str(detail["input"]), re.findall("'([^']*)'", expected))
            return f"{given} is not allowed here{near}; write {expected}"
        case _:
            return f"{given} is not allowed here: {detail['msg'].replace('Input', 'it', 1)}"


def did_you_mean(given: str, allowed: Sequence[str]) -> str:
    """Return a question with the nearest of the allowed words, or an empty string when none is near."""
    near = difflib.get_close_matches(given.lower(), allowed, n=1)
    return f', did you mean "{near[0]}"?' if near else ""


def keys_at(model: type[BaseModel], where: Where) -> list[str]:
    """Return the keys allowed in the table at a place."""
    for part in where:
        field = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        model = next(tables_in(field.annotation), model) if field else model
    return [field.alias or name for name, field in model.model_fields.items()]


def tables_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Return the models inside an annotation such as ``tuple[Person, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from tables_in(argument)
