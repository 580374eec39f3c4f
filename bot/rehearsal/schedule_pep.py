"""Write the PEP of a series as ``python -m release_management update-peps`` of https://github.com/python/peps leaves it behind."""

import tomllib
from typing import Any, Final

_Rows = list[dict[str, Any]]

_HEADINGS: Final = {"feature": "{series}.0 schedule", "bugfix": "Bugfix releases", "security": "Source-only security fix releases"}
_LIFE: Final = "{series} lifespan\n-------------\n\nIt is described by the :pep:`602`.\n"


def pep(series: str, dates: str) -> str:
    """Return the PEP of a series: ``dates`` is the file of all releases."""
    data = tomllib.loads(dates)
    about, rows = data["metadata"][series], data.get("release", {}).get(series, [])
    title = f"Python {series} Release Schedule"
    parts = [f"PEP: {about['pep']}\nTitle: {title}\nStatus: Active\n\n\nRelease schedule\n================\n"]
    begun = {"stage": f"{series} development begins", "state": "actual", "date": about["start-of-development"]}
    for name, heading in _HEADINGS.items():
        head = heading.format(series=series)
        chosen = [row for row in (begun, *rows) if _list_of(row, series, about) == name]
        body = "\n".join(_listed(chosen, name, about))
        parts.append(f"{head}\n{'-' * len(head)}\n\n.. release schedule: {name}\n{body}\n.. release schedule: ends\n")
    return "\n".join([*parts, _LIFE.format(series=series)])


def _list_of(row: dict[str, Any], series: str, about: dict[str, Any]) -> str:
    if row["stage"].startswith((f"{series}.0", f"{series} ")):
        return "feature"
    return "bugfix" if row["date"] <= about["end-of-bugfix"] else "security"


def _listed(rows: _Rows, name: str, about: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for state in ("actual", "expected"):
        these = [row for row in rows if row["state"] == state]
        title = [f"{state.capitalize()}:", ""] if these and name != "security" else []
        lines += [*([""] if these else []), *title]
        for row in these:
            lines.append(f"- {row['stage']}: {row['date']:%A, %Y-%m-%d}")
            lines += [f"  ({row['note']})"] if row.get("note") else []
            lines += ["  (No new features beyond this point.)"] if row["date"] == about["feature-freeze"] else []
    last = ["  (Final regular bugfix release with binary installers)"] if name == "bugfix" else []
    return [*lines, *last, ""]
