"""Hold what python.org shows some time after a release against what was confirmed before it.

Whatever is otherwise is a difference, whoever made it and why; but for files that were put off, which may follow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from bot.publication.comparison import vouching
from bot.publication.problems import named
from bot.release.later import Difference
from bot.release.published import Ended, FileRead
from bot.services.python_org import ReleaseFile

GONE: Final = Difference(key="gone", what="the release is not shown to everybody any more")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What python.org showed at one time: the digest of each row by the name of its file, and what became of each file by its address."""

    rows: Mapping[str, str]
    files: Mapping[str, FileRead]


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A file that was put off: its address, the step of whoever makes it, and its SHA-256 as they told it, empty while they did not."""

    url: str
    step: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is otherwise; ``rows`` and ``files`` are those that followed, are right, and have to stay as they are from now on."""

    differences: tuple[Difference, ...]
    news: tuple[str, ...]
    rows: tuple[str, ...]
    files: tuple[FileRead, ...]


def changes(before: Shown, now: Shown, listed: Sequence[ReleaseFile], late: Sequence[Followed]) -> Changes:
    """Return everything that is not as it was confirmed, rows first, each in the order of its name; ``listed`` is what is listed now."""
    may_follow = {named(one.url): one for one in late}
    came = [may_follow[name] for name in sorted(now.rows.keys() - before.rows.keys()) if name in may_follow]
    stated = {file.url: file.sha256 for file in listed}
    wrong = {one.url: difference for one in late if (difference := _wrong(one, now.files.get(one.url), stated.get(one.url, "")))}
    right = [one for one in came if one.url not in wrong]
    addresses = {url for one in right for url in (one.url, *_vouching(one.url, listed))} & now.files.keys()
    return Changes(
        differences=(
            *_of_rows(before.rows, now.rows, came),
            *_of_files(before.files, now.files),
            *wrong.values(),
        ),
        news=(*(_arrived(one, now.files[one.url]) for one in came), *_mended(before.files, now.files)),
        rows=tuple(f"{now.rows[named(one.url)]} {named(one.url)}" for one in right),
        files=tuple(now.files[url] for url in sorted(addresses - before.files.keys())),
    )


def _vouching(url: str, listed: Sequence[ReleaseFile]) -> tuple[str, ...]:
    return vouching([file for file in listed if file.url == url])


def _of_rows(before: Mapping[str, str], now: Mapping[str, str], came: Sequence[Followed]) -> Iterator[Difference]:
    followed = {named(one.url) for one in came}
    for name in sorted((before.keys() | now.keys()) - followed):
        was, is_now = before.get(name), now.get(name)
        if was and not is_now:
            yield Difference(key=f"gone {name}", what=f"{name} is not listed any more")
        elif was and was != is_now:
            yield Difference(key=f"changed {name} {is_now}", what=f"{name} is listed otherwise than it was confirmed")
        elif not was:
            yield Difference(key=f"new {name} {is_now}", what=f"{name} is listed, and was not when the release was confirmed")


def _of_files(before: Mapping[str, FileRead], now: Mapping[str, FileRead]) -> Iterator[Difference]:
    """Look at the files that were read; one that was not handed out then, and was let pass, may be so for ever."""
    for url in sorted(before.keys() & now.keys()):
        was, is_now = before[url], now[url]
        what = _otherwise(was, is_now) if was.ended is Ended.READ else ""
        if what:
            yield Difference(key=f"bytes {url} {what}", what=f"{named(url)} {what}", address=url)


def _otherwise(was: FileRead, is_now: FileRead) -> str:
    """Return what a file is now that was read when it was confirmed; nothing where it is the same, byte for byte."""
    match is_now.ended:
        case Ended.READ if is_now.sha256 == was.sha256:
            return ""
        case Ended.READ:
            return f"is another file: its SHA-256 is {is_now.sha256}, confirmed was {was.sha256}"
        case Ended.MISSING:
            return "is not handed out: there is no such file"
        case Ended.WITHHELD:
            return f"is not handed out: {is_now.why}"
        case Ended.OVERSIZED:
            return f"is another file: it has more than {is_now.size} bytes"
        case _:
            assert_never(is_now.ended)


def _wrong(one: Followed, file: FileRead | None, stated: str) -> Difference | None:
    """Return what is wrong with a file that followed; None is one that did not."""
    if file is None:
        return None
    name, told = named(one.url), one.sha256
    if file.ended is not Ended.READ:
        what = f"{name} followed, and is not handed out as it is listed"
    elif stated and stated != file.sha256:
        what = f"{name} followed, and is not what its entry states: its SHA-256 is {file.sha256}, stated is {stated}"
    elif told and told != file.sha256:
        what = f"{name} followed, and is not what was told of {one.step}: its SHA-256 is {file.sha256}, told was {told}"
    else:
        return None
    return Difference(key=f"late {what}", what=what, address=one.url)


def _arrived(one: Followed, file: FileRead) -> str:
    if file.ended is Ended.READ and not one.sha256:
        return f"{named(one.url)} followed, with the SHA-256 {file.sha256}; who made it did not tell it: `/release done {one.step} SHA256`"
    as_told = ", as it was told" if file.ended is Ended.READ and file.sha256 == one.sha256 else ""
    return f"{named(one.url)} followed{as_told}"


def _mended(before: Mapping[str, FileRead], now: Mapping[str, FileRead]) -> Iterator[str]:
    for url in sorted(before.keys() & now.keys()):
        if before[url].ended is not Ended.READ and now[url].ended is Ended.READ:
            yield f"{named(url)} is handed out now"
