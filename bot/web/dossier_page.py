"""Lay a dossier out as tables for people: nothing is on the page that is not in the document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.journal import Document
from bot.web.telling import clock, length

Part = Mapping[str, Any]

DECISIONS: Final = {
    "approvals": "approved",
    "acknowledgements": "took note",
    "waivers": "waived",
    "hand_work": "did by hand",
    "deferrals": "put off",
    "recalls": "wanted to recall",
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One line of a cell; ``code`` is for what is compared letter by letter, and ``url`` for what leads somewhere."""

    text: str
    code: bool = False
    url: str = ""


Cell = tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: the first cell of each row is what the row is about."""

    id: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def text(value: object) -> Cell:
    """Return a cell of words, empty for None."""
    return (Piece(text=str(value)),) if value not in (None, "") else ()


def code(value: object) -> Cell:
    """Return a cell of code, empty for None."""
    return (Piece(text=str(value), code=True),) if value not in (None, "") else ()


def link(value: object, url: str | None, *, as_code: bool = False) -> Cell:
    """Return a cell that leads somewhere, where the address is one of the web."""
    safe = url if url and url.startswith(("https://", "http://")) else ""
    return (Piece(text=str(value), code=as_code, url=safe),)


def many(cells: Iterable[Cell]) -> Cell:
    """Return one cell with the lines of several."""
    return tuple(piece for cell in cells for piece in cell)


def tables(document: Document, github: str) -> tuple[Table, ...]:
    """Return all tables of a dossier that have anything in them; ``github`` is where GitHub's pages are."""
    issue = f"{github}/{document['issue']['repository']}/issues/{document['issue']['number']}"
    every = (
        _steps(document["steps"]),
        _people(document["actors"]),
        _commands(document["commands"], issue),
        _decisions(document, issue),
        _asks(document["people"]),
        _tag(document["tag"]),
        _plan(document["plan"]),
        _findings(document["checks"]),
        _runs(document["runs"]),
        _files(document["files"]),
        _proofs(document["proofs"]),
        _named("roots", "Trust roots", "SHA-256", [(root["name"], root["sha256"]) for root in document["roots"]]),
        _named("versions", "What took part", "Version", [(one["name"], one["version"]) for one in document["versions"]]),
        _attempts(document["earlier_attempts"]),
    )
    return tuple(table for table in every if table.rows)


def _steps(steps: Sequence[Part]) -> Table:
    rows = tuple(
        (
            text(step["step"]),
            text(step["state"]),
            text(length(step["seconds"])),
            text(length(step["seconds_waited"]) if step["seconds_waited"] else "not at all"),
            text(clock(step["began"])),
            text(clock(step["ended"])),
            (*text(step["why"]), *many(text(line) for line in step["diagnostics"]), *many(map(_evidence, step["evidence"]))),
        )
        for step in steps
    )
    return Table(id="steps", title="Steps", headings=("Step", "State", "Took", "Waited for people", "Began", "Ended", "What"), rows=rows)


def _evidence(one: Part) -> Cell:
    return link(f"{one['what']}: {one['value']}", one["url"])


def _people(actors: Sequence[Part]) -> Table:
    rows = tuple((text(actor["login"]), code(actor["id"]), text(", ".join(actor["did"]))) for actor in actors)
    return Table(id="actors", title="Who acted", headings=("Account", "Number", "Did"), rows=rows)


def _commands(commands: Sequence[Part], issue: str) -> Table:
    rows = tuple(
        (
            link(f"/{'release' if said['verb'] == 'release' else 'release ' + said['verb']}", _comment(issue, said)),
            text(said["by"]["login"]),
            text(clock(said["said"])),
            text(said["what"]),
        )
        for said in commands
    )
    return Table(id="commands", title="Commands", headings=("Command", "Who", "Written", "What it did"), rows=rows)


def _comment(issue: str, said: Part) -> str:
    return f"{issue}#issuecomment-{said['comment']}"


def _decisions(document: Document, issue: str) -> Table:
    decided = [(word, one) for name, word in DECISIONS.items() for one in document[name]]
    if document["go"]:
        decided.append(("gave the go", document["go"]))
    decided.sort(key=lambda both: str(both[1]["at"]))
    rows = tuple((text(one["by"]["login"]), link(word, _comment(issue, one)), text(clock(one["at"])), _about(one)) for word, one in decided)
    return Table(id="decisions", title="Decisions", headings=("Who", "Decision", "When", "About"), rows=rows)


def _about(one: Part) -> Cell:
    words = many(text(one.get(name)) for name in ("check", "step", "reason"))
    return (*words, *many(code(one.get(name)) for name in ("tag", "sha", "plan", "findings", "results", "sha256")))


def _asks(asks: Sequence[Part]) -> Table:
    rows = tuple(
        (
            text(" or ".join(ask["who"])),
            text(ask["what"]),
            text(clock(ask["since"])),
            text(clock(ask["done"]) or "was not done"),
            text(length(ask["seconds"])),
        )
        for ask in asks
    )
    return Table(id="asked", title="What people were asked for", headings=("Who", "What", "Since", "Done", "Took"), rows=rows)


def _tag(tag: Part | None) -> Table:
    names = {
        "object": "Tag object",
        "commit": "Commit",
        "name": "Name",
        "fork": "Fork",
        "owner": "Owner’s number",
        "signature": "Signature",
        "vouched": "Vouched for by",
        "tagger": "Tagger",
        "dated": "Dated",
    }
    rows = tuple((text(word), code(tag[name])) for name, word in names.items() if tag[name] is not None) if tag else ()
    return Table(id="tag", title="The tag", headings=("What", "Value"), rows=rows)


def _plan(plan: Sequence[Part]) -> Table:
    rows = tuple((code(line["ref"]), code(line["old"] or "absent"), code(line["new"])) for line in plan)
    return Table(id="plan", title="The push plan", headings=("Ref", "From", "To"), rows=rows)


def _findings(checks: Sequence[Part]) -> Table:
    rows = tuple(
        (
            text(finding["check"]),
            code(finding["rule"]),
            text(finding["word"]),
            (*text(finding["what"]), *many(code(subject) for subject in finding["subjects"])),
        )
        for check in checks
        for finding in check["findings"]
    )
    return Table(id="findings", title="Findings", headings=("Check", "Rule", "Word", "What"), rows=rows)


def _runs(runs: Sequence[Part]) -> Table:
    rows = tuple(
        (
            link(run["name"], run["url"]),
            text(run["step"]),
            text(f"{run['purpose']} {run['number']} of attempt {run['attempt']}"),
            code(run["id"]),
            many(code(f"{one['name']}={one['value']}") for one in run["ordered"]),
            text(run["result"] or "was not looked at to its end"),
            text(run["certificate"]),
        )
        for run in runs
    )
    return Table(id="runs", title="Runs", headings=("Run", "Step", "Order", "Number", "Ordered with", "Result", "Signed by"), rows=rows)


def _files(files: Sequence[Part]) -> Table:
    rows = tuple(row for file in files for row in _file(file))
    note = "Each hash is shown once, with everybody who stated it; a file with several of them is marked."
    return Table(id="files", title="Files", headings=("File", "SHA-256", "MD5", "Bytes", "Said by"), rows=rows, note=note)


def _file(file: Part) -> Iterator[tuple[Cell, ...]]:
    claims = list(_claims(file))
    hashes = dict.fromkeys(sha256 for _, sha256, _, _ in claims)
    marked = text("its hashes differ") if len(hashes.keys() - {None}) > 1 else ()
    for index, sha256 in enumerate(hashes):
        same = [claim for claim in claims if claim[1] == sha256]
        sizes = dict.fromkeys(str(size) for _, _, _, size in same if size is not None)
        digests = dict.fromkeys(md5 for _, _, md5, _ in same if md5)
        name = (*link(file["name"], file["url"]), *marked) if index == 0 else (*text(f"{file['name']}, again"), *marked)
        yield name, code(sha256) or text("none"), many(map(code, digests)), many(map(text, sizes)), many(text(who) for who, _, _, _ in same)


def _claims(file: Part) -> Iterator[tuple[str, str | None, str | None, int | None]]:
    for one in file["made"]:
        who = f"{one['by']['login']}, by hand, for {one['step']}" if one["by"] else f"the builder of {one['step']}"
        yield f"{who}, {clock(one['at'], exactly=True)}", one["sha256"], None, one["size"]
    if file["stated"]:
        stated = file["stated"]
        yield "the list of python.org", stated["sha256"], stated["md5"], stated["size"]
    for read in file["read"]:
        how = "its bytes, read" if read["ended"] == "read" else f"asked for, and {read['ended']}"
        yield f"{how} {clock(read['at'], exactly=True)}", read["sha256"], read["md5"], read["size"]


def _proofs(proofs: Sequence[Part]) -> Table:
    rows = tuple(
        (
            text(proof["subject"]),
            text(proof["proof"]),
            text(proof["verdict"]),
            text(proof["signer"]),
            (*text(proof["why"]), *many(text(line) for line in proof["diagnostics"])),
            text(f"{proof['step']}, {clock(proof['at'])}"),
        )
        for proof in proofs
    )
    return Table(id="proofs", title="Proofs", headings=("Of", "Proof", "Verdict", "Signer", "Why", "Made in"), rows=rows)


def _named(name: str, title: str, heading: str, pairs: Sequence[tuple[str, str]]) -> Table:
    return Table(id=name, title=title, headings=("Name", heading), rows=tuple((text(one), code(value)) for one, value in pairs))


def _attempts(attempts: Sequence[Part]) -> Table:
    rows = tuple(
        (
            text(one["attempt"]),
            text(one["why"]),
            text(clock(one["ended"])),
            code(one["head"]),
            code(one["tag"]["object"] if one["tag"] else None),
            text(", ".join(f"{step['step']}: {step['state']}" for step in one["steps"])),
        )
        for one in attempts
    )
    return Table(
        id="attempts", title="Attempts that lapsed", headings=("Attempt", "Why", "Ended", "Head", "Tag object", "Steps"), rows=rows
    )
