"""What the proofs of a release say together, and how their progress is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Protocol, TypeVar

from bot.verify.result import NotProven, Result, Verdict

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Every result, in the order in which they are told; ``not_asked`` are sentences about what nobody looked at, and why."""

    results: tuple[Result, ...]
    not_asked: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Tell whether everything that was asked is proved; where nothing was proved at all, nothing is good."""
        return any(result.verdict is Verdict.VERIFIED for result in self.results) and all(result.verdict.good for result in self.results)

    @property
    def bad(self) -> tuple[Result, ...]:
        """Return what is not good."""
        return tuple(result for result in self.results if not result.verdict.good)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Return how often each verdict was reached."""
        return {verdict: sum(result.verdict is verdict for result in self.results) for verdict in Verdict}

    def by_subject(self) -> Mapping[str, Sequence[Result]]:
        """Return the results of each subject, subjects in the order in which they first occur."""
        grouped: dict[str, list[Result]] = {}
        for result in self.results:
            grouped.setdefault(result.subject, []).append(result)
        return grouped


class Watcher(Protocol):
    """Is told what goes on, from any thread; it must not take long, and its own troubles are nobody else's."""

    def planned(self, proofs: int, sizes: Mapping[str, int]) -> None:
        """Hear how many proofs are to come, and of which files how many bytes will be read first."""

    def read(self, name: str, count: int) -> None:
        """Hear that so many more bytes of a file were read; less than none where it begins anew."""

    def ended(self, result: Result) -> None:
        """Hear how one proof ended."""


class Silent:
    """A watcher that tells nobody."""

    def planned(self, proofs: int, sizes: Mapping[str, int]) -> None:
        """Tell nobody."""

    def read(self, name: str, count: int) -> None:
        """Tell nobody."""

    def ended(self, result: Result) -> None:
        """Tell nobody."""


class Once(Generic[T]):
    """A value that several threads need and the first of them works out; that it cannot be had is remembered as well."""

    def __init__(self, work: Callable[[], T]) -> None:
        """Keep how to work it out."""
        self._work = work
        self._lock = Lock()
        self._value: list[T] = []
        self._trouble: NotProven | None = None

    def __call__(self) -> T:
        """Return the value, or raise the NotProven that working it out ended with."""
        with self._lock:
            if self._trouble is not None:
                # A fresh one for each who asks: one exception object must not be raised by two threads.
                raise type(self._trouble)(self._trouble.why, *self._trouble.diagnostics)
            if not self._value:
                try:
                    self._value.append(self._work())
                except NotProven as trouble:
                    self._trouble = trouble
                    raise
            return self._value[0]
