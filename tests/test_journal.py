"""Whatever is done to a chain behind our back is found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.journal import GENESIS, Head, Json, Note, Sealed, What, append, canonical, normal, seal, verify
from bot.release.ids import WorkKey

KEY = WorkKey("cpython#1")
AT = datetime(2026, 5, 1, tzinfo=UTC)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
notes = st.builds(Note, actor=st.text(min_size=1), what=st.sampled_from(What), details=st.dictionaries(st.text(), values, max_size=4))
batches = st.lists(st.lists(notes, max_size=3), max_size=4)


def write(groups: list[list[Note]], key: WorkKey = KEY) -> tuple[list[Sealed], Head]:
    chain, head = [], Head()
    for number, group in enumerate(groups):
        entries, head = append(head, key, AT + timedelta(seconds=number), group)
        chain += entries
    return chain, head


@st.composite
def chains(draw: st.DrawFn, least: int = 1) -> tuple[list[Sealed], Head]:
    return write([draw(st.lists(notes, min_size=least, max_size=6))])


@given(batches)
def test_an_untouched_chain_is_whole(groups: list[list[Note]]) -> None:
    chain, head = write(groups)

    assert verify(chain) is None
    assert verify(chain, head=head) is None
    assert [entry.sequence for entry in chain] == list(range(1, sum(map(len, groups)) + 1))
    assert head == (Head(sequence=len(chain), hash=chain[-1].hash) if chain else Head())


@given(chains(), st.data())
def test_an_altered_row_is_found(written: tuple[list[Sealed], Head], data: st.DataObject) -> None:
    chain, _ = written
    place = data.draw(st.integers(0, len(chain) - 1))
    entry = chain[place]
    changes: dict[str, Any] = {
        "at": entry.at + timedelta(microseconds=1),
        "actor": entry.actor + ".",
        "what": next(kind for kind in What if kind is not entry.what),
        "details": {**entry.details, "one more": 1},
        "key": WorkKey("cpython#2"),
        "sequence": entry.sequence + 1,
        "hash": GENESIS,
    }
    name = data.draw(st.sampled_from(sorted(changes)))
    chain[place] = replace(entry, **{name: changes[name]})

    assert verify(chain) == place + 1


@given(chains(least=2), st.data())
def test_a_removed_row_is_found(written: tuple[list[Sealed], Head], data: st.DataObject) -> None:
    chain, head = written
    place = data.draw(st.integers(0, len(chain) - 1))
    del chain[place]

    assert verify(chain, head=head) == place + 1
    assert verify(chain) == (None if place == len(chain) else place + 1)


@given(chains(least=2), st.data())
def test_reordered_rows_are_found(written: tuple[list[Sealed], Head], data: st.DataObject) -> None:
    chain, _ = written
    order = data.draw(st.permutations(range(len(chain))).filter(lambda order: list(order) != sorted(order)))
    first = next(place for place, was in enumerate(order) if place != was)

    assert verify([chain[was] for was in order]) == first + 1


@given(chains(), notes)
def test_a_row_written_by_somebody_else_is_found(written: tuple[list[Sealed], Head], note: Note) -> None:
    chain, head = written
    more, _ = append(head, KEY, AT, [note])

    assert verify(chain + more) is None
    assert verify(chain + more, head=head) == len(chain) + 1


def test_a_chain_replaced_as_a_whole_is_found() -> None:
    _, head = write([[Note(actor="bot", what=What.FACT, details={"head": "a"})]])
    forged, _ = write([[Note(actor="bot", what=What.FACT, details={"head": "b"})]])

    assert verify(forged) is None
    assert verify(forged, head=head) == 1


def test_the_seal_is_the_same_for_ever() -> None:
    """Rows of years ago must verify: this hash may never change."""
    noon_in_prague = datetime.fromisoformat("2026-05-01T12:00:00+02:00")
    [entry], head = append(Head(), KEY, noon_in_prague, [Note(actor="ned (1)", what=What.COMMAND, details={"b": [1, "ü"], "a": None})])

    assert head.hash == entry.hash == seal(GENESIS, entry)
    assert entry.hash == "a11300551d3acba3821818008eb842e077680677e394195b5d48063ff2b02813"


@given(st.dictionaries(st.text(), values))
def test_details_are_what_will_be_read_back(details: dict[str, Json]) -> None:
    document = normal(details)

    assert normal(document) == document
    assert canonical(document) == canonical(details)
    assert canonical(details).isascii()


def test_tuples_and_enums_become_what_json_has() -> None:
    assert normal({"refs": ("a", What.FACT)}) == {"refs": ["a", "fact"]}


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))
