"""Make the world fail on purpose: refuse, hang up before or after doing what was asked, or call somebody at that moment."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Callback = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a fault does to one request. Use the functions below rather than this class."""

    status: int = 0
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up_before: bool = False
    hang_up_after: bool = False
    before: Callback | None = None
    after: Callback | None = None


def refuse(status: int, body: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None) -> Action:
    """Answer with this status; nothing is done."""
    return Action(status=status, body=body, headers=headers or {})


def drop_before() -> Action:
    """Close the connection without doing anything."""
    return Action(hang_up_before=True)


def drop_after() -> Action:
    """Do what was asked, then close the connection without an answer."""
    return Action(hang_up_after=True)


def call(before: Callback | None = None, after: Callback | None = None) -> Action:
    """Await somebody before the request is handled, or after it was and before the answer is sent."""
    return Action(before=before, after=after)


@dataclass(kw_only=True)
class Fault:
    """One rule: which requests it meets, how many of them it lets pass first (``skip``) and to how many it happens (``times``).

    ``path`` is a regular expression searched in the path; ``write`` is the number of a write; what is None matches everything.
    """

    action: Action
    method: str | None = None
    path: str | None = None
    write: int | None = None
    skip: int = 0
    times: int = 1

    def matches(self, method: str, path: str, write: int | None) -> bool:
        """Tell whether the rule is about this request."""
        return (
            (self.method is None or self.method == method)
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.write is None or self.write == write)
        )


class Faults:
    """The rules in their order; each request meets the first that matches and still has something left to do."""

    def __init__(self) -> None:
        """Begin without faults."""
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Add a rule behind the others."""
        self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def take(self, method: str, path: str, write: int | None) -> Action | None:
        """Use up one turn of the first rule that applies, and return what to do."""
        for rule in self._rules:
            if rule.times <= 0 or not rule.matches(method, path, write):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.times -= 1
            return rule.action
        return None
