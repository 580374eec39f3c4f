"""``python -m bot verify``: say whether what is published as a release is that release, without believing whoever hands it out."""

import argparse
import asyncio
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import aiohttp
from pydantic import TypeAdapter, ValidationError

from bot import elsewhere
from bot.errors import Unavailable, UserError
from bot.profile import load
from bot.release.version import Kind, Version
from bot.services.docs import Docs
from bot.services.nuget import NuGet
from bot.services.python_org import AmbiguousRelease, PythonOrg, Release, ReleaseFile
from bot.settings import DEFAULT_HOME, Address
from bot.verify.download import from_python_org
from bot.verify.material import Choice, Material, from_directory
from bot.verify.metadata import Stated, read_metadata
from bot.verify.release import verify_release
from bot.verify.release_policy import ReleasePolicy
from bot.verify.report import Report, Watcher
from bot.verify.result import NotProven, ProofName, Result, Unusable
from bot.verify_policy import keyring_of, release_policy
from bot.verify_progress import watching
from bot.verify_tag import AskedTag
from bot.verify_words import WIDTH, clean, in_json, in_words

SITE: Final = "https://www.python.org"
DOCS: Final = "https://docs.python.org"
NUGET: Final = "https://api.nuget.org"
WRONG_USE: Final = 2


class Misuse(UserError):
    """The command was used wrongly."""


def run(argv: Sequence[str]) -> int:
    """Run the command with the arguments after its name; return 0 when all is good, 1 when something is not, 2 for wrong use."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else WRONG_USE
    try:
        report, policy = _verified(arguments)
    except (UserError, Unavailable, OSError) as error:
        sys.stderr.write(textwrap.fill(clean(_sentence(error)), WIDTH, break_long_words=False, break_on_hyphens=False) + "\n")
        return WRONG_USE
    sys.stdout.write(in_json(report, policy) if arguments.json else in_words(report, policy))
    return 0 if report.good else 1


def _sentence(error: Exception) -> str:
    """Return what is wrong with what was given, or with this machine."""
    if isinstance(error, OSError):
        return f"{error.filename or 'A file'} cannot be used ({error.strerror or error}); name another one, or make it usable."
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    """Return the command's grammar."""
    parser = argparse.ArgumentParser(
        prog="python -m bot verify",
        description="Say whether what is published as a release is that release: fetches it from python.org, or reads what was downloaded.",
        epilog="Exit code: 0 all that was asked is good, 1 it is not, 2 wrong use, 130 interrupted.",
    )
    parser.add_argument("version", metavar="VERSION", help="for example 3.14.4")
    parser.add_argument("--directory", type=Path, metavar="DIR", help="verify the files in this folder, and download none")
    parser.add_argument("--metadata", type=Path, metavar="FILE", help="with --directory: what python.org states, so that nobody is asked")
    parser.add_argument("--only", action="append", default=[], metavar="GLOB", help="only files that fit, and what is theirs; repeatable")
    parser.add_argument("--tag", type=Path, metavar="FILE|REPO", help="the raw tag object or the clone that the sources have to be of")
    parser.add_argument("--keys", type=Path, metavar="DIR", help="a folder of OpenPGP public keys, for the .asc files")
    parser.add_argument("--profile", default="cpython", metavar="NAME|FILE", help="whose signatures count, and which files there are")
    parser.add_argument("--kind", choices=[kind.slug for kind in Kind], help="the kind of release, where the version does not tell")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what is downloaded in this folder, which must be empty or new")
    parser.add_argument("--url", metavar="URL", help=f"the site to ask, instead of PYTHON_ORG_URL or {SITE}")
    parser.add_argument("--json", action="store_true", help="print one JSON object on each line: the results, and last the summary")
    return parser


def _verified(arguments: argparse.Namespace) -> tuple[Report, ReleasePolicy]:
    """Gather what is asked about, and verify it."""
    if arguments.metadata and not arguments.directory:
        raise Misuse("--metadata says what the files in a folder should be; name the folder with --directory.")
    if arguments.keep and arguments.directory:
        raise Misuse("--keep is for downloads, and with --directory nothing is downloaded; leave one of them out.")
    version = Version.parse(arguments.version)
    profile = load(arguments.profile, home=Path(os.environ.get("BOT_HOME") or DEFAULT_HOME).expanduser())
    policy = release_policy(profile, version, Kind.from_slug(arguments.kind or ""), keyring_of(profile, arguments.keys))
    tag = AskedTag.read(arguments.tag, policy) if arguments.tag else AskedTag()
    choice = Choice(patterns=tuple(arguments.only))
    with watching() as watcher, _folder(arguments) as folder:
        try:
            material = _material(arguments, policy, choice, folder, watcher)
        except Unavailable as trouble:
            why = f"python.org could not be asked about {policy.name} ({trouble}), so nothing is known of it; try again."
            return _unlisted(policy, Unusable(why)), policy
        except AmbiguousRelease as trouble:
            return _unlisted(policy, NotProven(str(trouble))), policy
        report = verify_release(material, policy, source_tree=tag.source_tree, only=arguments.only, watcher=watcher)
    return tag.added_to(report), policy


def _material(arguments: argparse.Namespace, policy: ReleasePolicy, choice: Choice, folder: Path | None, watcher: Watcher) -> Material:
    if not arguments.metadata:
        return asyncio.run(_from_site(arguments, policy, choice, folder, watcher))
    stated = read_metadata(arguments.metadata)
    _check(choice, policy, stated.files)
    return from_directory(arguments.directory, stated, choice)


async def _from_site(
    arguments: argparse.Namespace, policy: ReleasePolicy, choice: Choice, folder: Path | None, watcher: Watcher
) -> Material:
    """Ask the site, and download what is asked about unless it lies in a folder already."""
    async with aiohttp.ClientSession() as session:
        site = PythonOrg(_site(arguments.url), session)
        release: Release | None = await site.release(policy.name)
        rows = await site.files(release) if release else ()
        _check(choice, policy, rows)
        if folder is None:
            stated = Stated(files=rows, companions=True)
            material = from_directory(arguments.directory, stated, choice, release, asked_site=True)
        else:
            material = await from_python_org(site, release, rows, choice, folder, watcher)
        return material if choice.patterns else replace(material, elsewhere=await _elsewhere(arguments, policy, session))


async def _elsewhere(arguments: argparse.Namespace, policy: ReleasePolicy, session: aiohttp.ClientSession) -> tuple[Result, ...] | None:
    """Ask where the documentation is and where the packages are; None for another site whose own such places were not named."""
    named = "DOCS_URL" in os.environ and "NUGET_URL" in os.environ
    if _site(arguments.url) != SITE and not named:
        return None
    docs = Docs(_address("DOCS_URL", DOCS), _site(arguments.url), session)
    nuget = NuGet(_address("NUGET_URL", NUGET), session)
    found: list[Result] = []
    try:
        found.append(await elsewhere.documentation(policy.version, docs))
    except Unavailable as trouble:
        found.append(_silent(policy, ProofName.DOCS, trouble))
    try:
        found += await elsewhere.packages(policy.version, policy.nuget, nuget)
    except Unavailable as trouble:
        found.append(_silent(policy, ProofName.NUGET, trouble))
    return tuple(found)


def _silent(policy: ReleasePolicy, proof: ProofName, trouble: Unavailable) -> Result:
    return Result.of(str(policy.version), proof, Unusable(f"It could not be asked this time ({trouble}); try again."))


def _check(choice: Choice, policy: ReleasePolicy, rows: Sequence[ReleaseFile]) -> None:
    choice.check([*(row.file_name for row in rows), *(file.name for file in policy.expected if not file.optional)])


def _site(url: str | None) -> str:
    return _address("PYTHON_ORG_URL", SITE, url)


def _address(variable: str, usual: str, given: str | None = None) -> str:
    """Return the address of a place that was given, or is in the environment, or is the usual one; raise Misuse."""
    address = given or os.environ.get(variable) or usual
    try:
        return TypeAdapter[str](Address).validate_python(address)
    except ValidationError as error:
        raise Misuse(f"The address {address!r} {error.errors(include_url=False, include_input=False)[0]['msg']}.") from None


@contextmanager
def _folder(arguments: argparse.Namespace) -> Iterator[Path | None]:
    """Provide the folder for downloads, which is gone afterwards unless it is to be kept; None where nothing is downloaded."""
    if arguments.directory:
        yield None
    elif arguments.keep:
        try:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            is_empty = not any(arguments.keep.iterdir())
        except OSError as error:
            raise Misuse(f"{arguments.keep} cannot be used as a folder ({error.strerror}); name another one.") from None
        if not is_empty:
            raise Misuse(f"{arguments.keep} is not empty; name a new folder, so that nothing in it is mixed up with what is downloaded.")
        yield arguments.keep
    else:
        with tempfile.TemporaryDirectory(prefix="release-") as name:
            yield Path(name)


def _unlisted(policy: ReleasePolicy, trouble: NotProven) -> Report:
    """Return that the list of the release could not be had, so that nothing else was looked at."""
    return Report(results=(Result.of(policy.name, ProofName.LISTED, trouble),))
