"""Read the text of commits and tags: https://git-scm.com/docs/git-hash-object and the headers that every version of git writes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

SIGNATURE = re.compile(r"^-----BEGIN (?:PGP|SSH) SIGNATURE-----$|^-----BEGIN (?:SIGNED MESSAGE|PGP MESSAGE)-----$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Who wrote it, and when, with the writer's own time zone."""

    name: str
    email: str
    at: datetime

    def shape(self) -> dict[str, object]:
        """Return it as GitHub's JSON, in UTC."""
        return {"name": self.name, "email": self.email, "date": self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


@dataclass(frozen=True, kw_only=True)
class CommitText:
    """What a commit says."""

    tree: str
    parents: tuple[str, ...]
    author: Signed
    committer: Signed
    message: str
    signature: str | None


@dataclass(frozen=True, kw_only=True)
class TagText:
    """What an annotated tag says; ``payload`` is what a signature would be made over."""

    object: str
    type: str
    tag: str
    tagger: Signed
    message: str
    payload: str
    signature: str | None


def _signed(line: str) -> Signed:
    found = re.fullmatch(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>\d+) (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)", line)
    if found is None:
        return Signed(name=line, email="", at=datetime.fromtimestamp(0, UTC))
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    zone = timezone(-offset if found["sign"] == "-" else offset)
    return Signed(name=found["name"], email=found["email"], at=datetime.fromtimestamp(int(found["seconds"]), zone))


def _headers(text: str) -> tuple[list[tuple[str, str]], str]:
    """Split into headers, with their continuation lines, and the message."""
    head, _, message = text.partition("\n\n")
    unfolded = re.sub(r"\n ", "\0", head)
    return [(key, value.replace("\0", "\n")) for key, _, value in (line.partition(" ") for line in unfolded.splitlines())], message


def read_commit(raw: bytes) -> CommitText:
    """Read the content of a commit object."""
    headers, message = _headers(raw.decode(errors="replace"))
    fields = dict(headers)
    return CommitText(
        tree=fields["tree"],
        parents=tuple(value for key, value in headers if key == "parent"),
        author=_signed(fields["author"]),
        committer=_signed(fields["committer"]),
        message=message.rstrip("\n"),
        signature=fields.get("gpgsig"),
    )


def read_tag(raw: bytes) -> TagText:
    """Read the content of a tag object."""
    text = raw.decode(errors="replace")
    headers, message = _headers(text)
    fields = dict(headers)
    found = SIGNATURE.search(message)
    cut = len(message) if found is None else found.start()
    return TagText(
        object=fields["object"],
        type=fields["type"],
        tag=fields["tag"],
        tagger=_signed(fields.get("tagger", "")),
        message=message[:cut],
        payload=text[: len(text) - len(message) + cut],
        signature=message[cut:] or None,
    )
