"""What a check run says of single lines: https://docs.github.com/en/rest/checks/runs#create-a-check-run."""

from dataclasses import dataclass
from enum import StrEnum


class AnnotationLevel(StrEnum):
    """How grave an annotation is."""

    NOTICE = "notice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True)
class CheckAnnotation:
    """A note beside the lines from ``first`` to ``last``, counted from 1, of a file in the commit.

    ``path`` is relative to the root of the repository; ``message`` (at most 64 KiB) and ``title`` (at most 255 characters) are plain text.
    """

    path: str
    first: int
    last: int
    level: AnnotationLevel
    message: str
    title: str = ""
