"""Every key of a TOML text is found on the line where it stands."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.profile import shipped
from bot.profile.lines import Where, locate

ROOT = Path(__file__).parent.parent


def places(value: object, where: Where = ()) -> set[Where]:
    match value:
        case dict():
            inner = value.items()
        case list():
            inner = dict(enumerate(value)).items()
        case _:
            return {where}
    return {where}.union(*(places(item, (*where, key)) for key, item in inner))


@pytest.mark.parametrize("name", shipped())
def test_every_place_of_a_real_profile_has_its_line(name: str) -> None:
    text = (ROOT / "bot" / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    lines = locate(text)
    table_arrays = {where for where in places(tomllib.loads(text)) if where and where not in lines}
    assert table_arrays <= {("series",), ("hand",)}
    for where, line in lines.items():
        if isinstance(where[-1], str):
            assert where[-1] in text.splitlines()[line - 1]


TRICKY = (
    '# [not.a.table] = "x"',
    'a.b = """one',
    r'two \""" = 3',
    '""" # comment ]',
    "\"quoted = key\" = 'single # not a comment'",
    "t = [ # opens",
    "  1979-05-27 07:32:00, [1.5, -2e3],",
    "  { x = [1,",
    "  2], \"y.z\" = '}' },",
    "]",
    "many = '''",
    "quotes\"\"\"'''",
    "",
    "[[list]]",
    "[[list.inner]]",
    "k = 1",
    "[[list.inner]]",
    "k = 2",
    "[[list]]",
    "inner = []",
    '[ "x.y" . z ]',
    "w = true",
)


def test_lines_are_found_through_all_that_toml_allows() -> None:
    data, lines = tomllib.loads("\n".join(TRICKY)), locate("\n".join(TRICKY))
    assert places(data) - set(lines) == {(), ("x.y",)}
    assert set(lines) <= places(data)
    expected: dict[Where, int] = {
        ("a", "b"): 2,
        ("quoted = key",): 5,
        ("t", 1): 7,
        ("t", 2, "y.z"): 9,
        ("list", 0, "inner", 1, "k"): 18,
        ("list", 1, "inner"): 20,
        ("x.y", "z", "w"): 22,
    }
    assert {where: lines[where] for where in expected} == expected


SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), st.text(alphabet='ab"\\\n#=[]{}', max_size=4))
KEYS = st.text(alphabet="ab.#= ", min_size=1, max_size=3)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
TABLES = st.dictionaries(KEYS, VALUES)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


@given(TABLES)
def test_whatever_the_values_every_key_is_found_on_its_line(table: dict[str, object]) -> None:
    lines = locate("".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in table.items()))
    assert set(lines) == places(table) - {()}
    assert all(lines[where] == list(table).index(str(where[0])) + 1 for where in lines)
