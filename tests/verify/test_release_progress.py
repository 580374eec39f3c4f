"""How the progress of a verification is shown, on a terminal and elsewhere."""

import io

from bot.verify.result import ProofName, Result, Verdict
from bot.verify_progress import watching

ENDED = Result(subject="a\x1b[2Jfile", proof=ProofName.BYTES, verdict=Verdict.FAILED, why="It is another one.")


class Terminal(io.StringIO):
    """A terminal as far as anybody can tell."""

    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO) -> str:
    with watching(stream) as watcher:
        watcher.planned(0, {"a": 1_000_000, "[red]b": 2_000_000})
        watcher.read("a", 400_000)
        watcher.read("a", -400_000)
        watcher.read("a", 1_000_000)
        watcher.read("unplanned", 1)
        watcher.planned(1, {})
        watcher.ended(ENDED)
    return stream.getvalue()


def test_elsewhere_each_file_and_each_proof_is_a_line() -> None:
    assert told(io.StringIO()).splitlines() == [
        "reading 2 files, 3.0 MB",
        "read a (1.0 MB)",
        "making 1 proof",
        "FAILED   bytes of a\N{REPLACEMENT CHARACTER}[2Jfile",
    ]


def test_a_terminal_shows_bars_by_the_names_of_the_files() -> None:
    shown = told(Terminal())
    assert "[red]b" in shown
    assert "FAILED   bytes of a\N{REPLACEMENT CHARACTER}[2Jfile" in shown
