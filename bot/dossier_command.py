"""``python -m bot dossier``: check a dossier that was kept, or print what dossiers say."""

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import jsonschema

from bot.dossier_docs import page, schema
from bot.errors import UserError
from bot.release.dossier import FORMAT, written

LARGEST: Final = 64 * 1024 * 1024
"""Bytes; a release with everything makes less than one MB."""


def run(arguments: Sequence[str]) -> int:
    """Run one of the commands; 1 says that something is wrong with a dossier."""
    options = _parser().parse_args(arguments)
    match options.command:
        case "docs":
            sys.stdout.write(page())
        case "schema":
            sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
        case _:
            return _check(options.file, options.sha256.lower())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot dossier", description="Check a dossier that was kept, or print what dossiers say.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="tell whether the bytes of a dossier are right")
    check.add_argument("file", type=Path, help="what was fetched from /releases/PROJECT/VERSION/dossier.json")
    check.add_argument("sha256", nargs="?", default="", help="the SHA-256 in the status comment")
    commands.add_parser("docs", help="print docs/dossier.md")
    commands.add_parser("schema", help="print the JSON schema of a dossier")
    return parser


def _check(file: Path, sha256: str) -> int:
    content = _content(file)
    digest = hashlib.sha256(content).hexdigest()
    wrong = list(problems(content))
    if sha256 not in ("", digest):
        wrong.insert(0, f"Its SHA-256 is not {sha256}.")
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"{digest}  {file}\n")
    return 1 if wrong else 0


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise UserError(f"{file} has more than {LARGEST} bytes, so it is no dossier.")
    return content


def problems(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the bytes of a dossier, each in one sentence; nothing says that they are right."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        yield "It is not JSON."
        return
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        yield f"It is no dossier of format {FORMAT}, the one that this version knows."
        return
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema()).iter_errors(document))
    if error is not None:
        yield f"At {error.json_path} it does not have the form of a dossier: {error.message[:200]}."
        return
    if written(document) != content:
        yield "It is not written as dossiers are, so its bytes were changed even if nothing else was."
    for tag in (document["tag"], *(attempt["tag"] for attempt in document["earlier_attempts"])):
        if tag and not _is_tag(tag["content"], tag["object"]):
            yield f"The tag object that it holds does not have the id {tag['object']}."


def _is_tag(content: str, object_id: str) -> bool:
    """Tell whether base64 is a tag object with that id (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    try:
        raw = base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        return False
    return hashlib.sha1(b"tag %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest() == object_id
