"""Read a raw annotated tag object as strictly as can be; nothing here decides whom to believe.

The format: https://git-scm.com/docs/git-mktag and https://git-scm.com/docs/signature-format. Git itself is laxer: it takes the first
header of several, nested tags, and a tag whose name is not that of its ref.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from bot.errors import UserError
from bot.release.facts import Signed
from bot.release.ids import CommitId, TagId

LARGEST: Final = 1 << 20
"""Bytes; a real tag with its signature has less than a hundredth of this."""

_HEADERS: Final = ("object", "type", "tag", "tagger")
_ID: Final = re.compile(r"[0-9a-f]{40}")
_TAGGER: Final = re.compile(
    r"(?P<name>[^<>]*[^<> ]) <(?P<email>[^<>]*)> (?P<seconds>[1-9]\d{0,10}) (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>[0-5]\d)"
)
_BEGIN: Final = re.compile(rb"^-----BEGIN ([A-Z0-9 ]*)-----$", re.MULTILINE)
_END: Final = re.compile(rb"^-----END ([A-Z0-9 ]*)-----$", re.MULTILINE)
# Git itself looks at the beginning of a line only (parse_signed_buffer in https://github.com/git/git/blob/master/gpg-interface.c), so what
# looks like a signature to git must never count as the absence of one here.
_ALMOST: Final = re.compile(rb"^-----(?:BEGIN|END) ", re.MULTILINE)
_KINDS: Final = {b"PGP SIGNATURE": Signed.OPENPGP, b"SSH SIGNATURE": Signed.SSH, b"SIGNED MESSAGE": Signed.GITSIGN}
_FURTHEST_OFFSET: Final = timedelta(hours=15)


class MalformedTag(UserError):
    """The object is not an annotated tag of a commit that is what it should be, whoever signed it."""


@dataclass(frozen=True, kw_only=True)
class TagObject:
    """An annotated tag of a commit.

    ``payload`` is what a signature covers, ``signature`` the armored block after it (empty when unsigned), ``dated`` keeps the tagger's
    offset.
    """

    object_id: TagId
    target: CommitId
    name: str
    tagger: str
    dated: datetime
    message: str
    payload: bytes
    signed: Signed
    signature: bytes

    @classmethod
    def parse(cls, raw: bytes) -> "TagObject":
        """Read a raw object without git's own ``tag SIZE NUL`` header; raise MalformedTag with the one reason why not."""
        _check_bytes(raw)
        payload, signature, signed = _split(raw)
        head, separator, message = payload.partition(b"\n\n")
        if not separator:
            raise MalformedTag("The object has no empty line after its headers; it is not a well-formed tag.")
        headers = _headers(_text(head))
        if not _ID.fullmatch(headers["object"]):
            raise MalformedTag("The tag's object line does not hold a full object id; it is not a well-formed tag.")
        if headers["type"] != "commit":
            raise MalformedTag(
                f"The tag points to a {_short(headers['type'])}, not to a commit; only a tag made directly on a commit is a release."
            )
        tagger, dated = _tagger(headers["tagger"])
        return cls(
            object_id=TagId(object_id(raw)),
            target=CommitId(headers["object"]),
            name=headers["tag"],
            tagger=tagger,
            dated=dated,
            message=_text(message),
            payload=payload,
            signed=signed,
            signature=signature,
        )

    def expect(self, *, name: str, object_id: str | None = None, target: str | None = None) -> None:
        """Raise MalformedTag unless this is the tag that was asked for; a valid signature alone does not say so.

        Without this, a signed ``v3.9.2`` would pass under the ref ``refs/tags/v9.9.9``.
        """
        if self.name != name:
            raise MalformedTag(
                f"The tag object was made as {_short(self.name)}, not as {_short(name)}; it must not stand under another name."
            )
        if object_id is not None and self.object_id != object_id:
            raise MalformedTag(f"The content belongs to object {self.object_id}, not to {_short(object_id)}; it was altered or mixed up.")
        if target is not None and self.target != target:
            raise MalformedTag(f"The tag points to {self.target}, not to {_short(target)}; it is not the tag of that commit.")


def object_id(raw: bytes) -> str:
    """Return the id that git gives to a tag object (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    return hashlib.sha1(b"tag %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _check_bytes(raw: bytes) -> None:
    """Refuse what no tag consists of."""
    if len(raw) > LARGEST:
        raise MalformedTag(f"The object has {len(raw)} bytes, but a tag has at most {LARGEST}; it is not a release tag.")
    if raw.startswith((b"tree ", b"parent ")):
        raise MalformedTag("This is a commit: the tag is lightweight, so nobody signed or dated it; make an annotated tag.")
    if not raw.startswith(b"object "):
        raise MalformedTag("The object does not begin like a tag; give the raw object, as git cat-file tag prints it.")
    if b"\0" in raw:
        raise MalformedTag("The tag holds a NUL byte, which hides what follows from some programs.")
    if b"\r" in raw:
        raise MalformedTag("The tag holds a carriage return, which signatures and programs treat in different ways.")
    if not raw.endswith(b"\n"):
        raise MalformedTag("The tag does not end with a line feed; it was cut off or not made by git.")


def _split(raw: bytes) -> tuple[bytes, bytes, Signed]:
    """Cut off the one signature at the end."""
    begins, ends = list(_BEGIN.finditer(raw)), list(_END.finditer(raw))
    if len(_ALMOST.findall(raw)) != len(begins) + len(ends):
        raise MalformedTag("The tag has a line that git takes for the border of a signature and others do not; sign it anew with git tag.")
    if not begins and not ends:
        return raw, b"", Signed.UNSIGNED
    if len(begins) > 1 or len(ends) > 1:
        raise MalformedTag("The tag holds several signature blocks; exactly one is understood the same way by everyone.")
    if not begins or not ends or begins[0][1] != ends[0][1] or raw[ends[0].end() :] != b"\n":
        raise MalformedTag("The tag's signature block is not complete, or something follows it; nothing may stand behind a signature.")
    signed = _KINDS.get(begins[0][1])
    if signed is None:
        raise MalformedTag(f"The tag is signed with a {_short(begins[0][1].decode())}, which is not a kind of signature that git makes.")
    start = begins[0].start()
    return raw[:start], raw[start:], signed


def _headers(head: str) -> dict[str, str]:
    """Read the four headers, each once and in git's order."""
    lines = [line.partition(" ") for line in head.split("\n")]
    keys = [key for key, _, _ in lines]
    if unknown := [key for key in keys if key not in _HEADERS]:
        raise MalformedTag(f"The tag has a header {_short(unknown[0])}, which tags do not have.")
    if double := [key for key in _HEADERS if keys.count(key) > 1]:
        raise MalformedTag(f"The tag has its {double[0]} header more than once; programs disagree on which one counts.")
    if absent := [key for key in _HEADERS if key not in keys]:
        raise MalformedTag(f"The tag has no {absent[0]} header; it was not made by git tag.")
    if keys != list(_HEADERS):
        raise MalformedTag("The tag's headers are not in git's order; it was not made by git tag.")
    return {key: value for key, _, value in lines}


def _tagger(text: str) -> tuple[str, datetime]:
    """Read who tagged and when."""
    found = _TAGGER.fullmatch(text)
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"])) if found else timedelta.max
    if not found or offset > _FURTHEST_OFFSET:
        raise MalformedTag("The tag's tagger line is not a name, an address and a time; it was not made by git tag.")
    zone = timezone(-offset if found["sign"] == "-" else offset)
    return f"{found['name']} <{found['email']}>", datetime.fromtimestamp(int(found["seconds"]), UTC).astimezone(zone)


def _text(content: bytes) -> str:
    """Decode text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedTag("The tag is not valid UTF-8; programs would show it in different ways.") from None


def _short(text: str) -> str:
    """Return text of others so that it can stand in a sentence."""
    return repr(text[:60])
