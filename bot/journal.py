"""The append-only journal: one chain of entries per key of work, each sealed by a hash that covers the one before it.

A chain shows that nothing *inside* it was altered, removed or reordered. Whether its end was cut off is known from its ``Head``, which is
kept apart from it. The hashes carry no key: they uncover accidents and quiet edits, and bind a published head to all that came before it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.release.ids import WorkKey

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
"""Whatever JSON can say; read-only, so that any dict of such values fits."""

Document = dict[str, Any]
"""A JSON object as it was read back: its shape is known to whoever wrote it, not to us."""

GENESIS = "0" * 64
"""The hash before the first entry."""


class What(StrEnum):
    """The kinds of entries (invariant I7: every command, fact, decision and effect)."""

    COMMAND = "command"
    FACT = "fact"
    DECISION = "decision"
    HUMAN_ACT = "human-act"
    EFFECT_INTENT = "effect-intent"
    EFFECT_RESULT = "effect-result"
    EFFECT_REFUSED = "effect-refused"


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something to be written down; it becomes an entry when the store gives it a place and a time.

    ``actor`` is ``bot``, or a person as ``LOGIN (ID)``. ``details`` is evidence in JSON and must never hold a secret.
    """

    actor: str
    what: What
    details: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of a chain. ``sequence`` counts from 1 within its key; ``at`` is in UTC."""

    key: WorkKey
    sequence: int
    at: datetime
    actor: str
    what: What
    details: Document


@dataclass(frozen=True, kw_only=True)
class Sealed(Entry):
    """An entry with its hash: 64 lower-case hexadecimal digits of SHA-256."""

    hash: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where a chain ends: how many entries it has, and the hash of the last."""

    sequence: int = 0
    hash: str = GENESIS


def canonical(value: Json) -> str:
    """Return the one spelling of a JSON value: sorted keys, no white space, ASCII only.

    Raises TypeError or ValueError for what JSON cannot say. ASCII keeps NUL and lone surrogates escaped, which PostgreSQL's text type
    could not store (https://www.postgresql.org/docs/current/datatype-character.html).
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def normal(value: Mapping[str, Json]) -> Document:
    """Return a JSON object exactly as it will be read back, with tuples as lists and enums as text."""
    document: Document = json.loads(canonical(value))
    return document


def seal(previous: str, entry: Entry) -> str:
    """Return the hash of an entry that follows the one with the hash ``previous``."""
    content: dict[str, Json] = {
        "previous": previous,
        "key": entry.key,
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "what": entry.what,
        "details": entry.details,
    }
    return hashlib.sha256(canonical(content).encode("ascii")).hexdigest()


def append(head: Head, key: WorkKey, at: datetime, notes: Iterable[Note]) -> tuple[list[Sealed], Head]:
    """Return the notes as sealed entries behind ``head``, and the new head."""
    entries = []
    for note in notes:
        entry = Entry(key=key, sequence=head.sequence + 1, at=at, actor=note.actor, what=note.what, details=normal(note.details))
        head = Head(sequence=entry.sequence, hash=seal(head.hash, entry))
        entries.append(Sealed(hash=head.hash, **vars(entry)))
    return entries, head


def verify(chain: Sequence[Sealed], *, head: Head | None = None) -> int | None:
    """Return the first sequence number at which a chain is broken, or None when it is whole.

    With ``head`` a chain of another length is broken at the first number that only one of the two has, and one of the right length that
    ends in another hash at its last.
    """
    found = Head()
    for entry in chain:
        expected = found.sequence + 1
        if entry.sequence != expected or entry.key != chain[0].key or entry.hash != seal(found.hash, entry):
            return expected
        found = Head(sequence=expected, hash=entry.hash)
    if head is None or head == found:
        return None
    return found.sequence if found.sequence == head.sequence else min(found.sequence, head.sequence) + 1
