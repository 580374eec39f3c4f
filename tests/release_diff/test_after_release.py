"""The commit after a release, and the magic number before it."""

import pytest

from bot.release.facts import Finding, Severity
from bot.release.version import Version
from bot.verify.release_diff import POST_SUBJECT, UnexpectedContent, magic_number_problem, post_release
from tests.release_diff.diff_builders import patchlevel, readme

BETA = Version.parse("3.15.0b3")
HEADER = b"/* PYC_MAGIC_NUMBER 1 */\n#define PYC_MAGIC_NUMBER 3627\n#define PYC_MAGIC_NUMBER_TOKEN 5\n"
TEST = b"class T:\n    # EXPECTED_MAGIC_NUMBER = 1\n        EXPECTED_MAGIC_NUMBER = 3627\n"


def test_the_commit_after_a_beta() -> None:
    made = post_release(BETA, readme(BETA).encode() + b"\n", patchlevel(BETA).encode())
    assert made["README.rst"].startswith(b"This is Python version 3.15.0 beta 3+dev\n========================================\n\n")
    assert made["README.rst"].endswith(b"nobody.\n")
    assert b'#define PY_VERSION              "3.15.0b3+dev"\n' in made["Include/patchlevel.h"]
    assert b"#define PY_RELEASE_SERIAL       3\n" in made["Include/patchlevel.h"]
    assert POST_SUBJECT.format(version=BETA) == "Post 3.15.0b3"


@pytest.mark.parametrize(
    ("readme_text", "patchlevel_text", "why"),
    [
        ("Python\n", patchlevel(BETA), "README.rst in the tag does not begin with its version sentence"),
        (readme(BETA, "+dev"), patchlevel(BETA), "README.rst in the tag names another version"),
        (readme(BETA).replace("====\n", "=====\n"), patchlevel(BETA), "an underline of another length"),
        (readme(BETA), "", "Include/patchlevel.h in the tag cannot be read"),
        (readme(BETA), patchlevel(BETA, "+dev"), "Include/patchlevel.h in the tag holds other constants"),
    ],
)
def test_it_is_not_made_from_anything_but_the_release(readme_text: str, patchlevel_text: str, why: str) -> None:
    with pytest.raises(UnexpectedContent) as caught:
        post_release(BETA, readme_text.encode(), patchlevel_text.encode())
    assert why in str(caught.value)
    assert str(caught.value).startswith("The commit after 3.15.0b3 cannot be made, because ")


def problem(header: bytes, test: bytes, version: str) -> Finding:
    found = magic_number_problem(header, test, Version.parse(version))
    assert found
    assert found.check == "magic-number"
    return found


@pytest.mark.parametrize("version", ["3.14.0a1", "3.15.0rc1", "3.14.7"])
def test_an_expected_magic_number_is_no_problem(version: str) -> None:
    assert magic_number_problem(HEADER, TEST, Version.parse(version)) is None
    assert magic_number_problem(HEADER.replace(b"\n", b"\r\n"), TEST.replace(b"\n", b"\r\n"), Version.parse(version)) is None


def test_before_3_14_nobody_compares() -> None:
    assert magic_number_problem(b"", b"", Version.parse("3.13.6")) is None
    assert magic_number_problem(b"", b"", Version.parse("3.13.6"), since=(3, 13))


@pytest.mark.parametrize(
    ("version", "severity"),
    [("3.15.0a3", Severity.ACKNOWLEDGE), ("3.15.0b4", Severity.ACKNOWLEDGE), ("3.15.0rc1", Severity.WAIVER), ("3.15.2", Severity.WAIVER)],
)
def test_another_magic_number_is_told_while_it_may_change_and_refused_afterwards(version: str, severity: Severity) -> None:
    found = problem(HEADER.replace(b"3627", b"3630"), TEST, version)
    assert found.severity is severity
    late = "must not change any more" if severity is Severity.WAIVER else "will fail the tests of the first candidate"
    assert found.what == f"The magic number of {version} is 3630 where the test suite expects 3627, and it {late}: correct the branch."


@pytest.mark.parametrize("header", [b"", HEADER * 2, b"#define PYC_MAGIC_NUMBER 3627 // x\n", b"x #define PYC_MAGIC_NUMBER 3627\n"])
def test_a_header_that_defines_it_not_exactly_once(header: bytes) -> None:
    assert "pycore_magic_number.h does not define it exactly once" in problem(header, TEST, "3.15.0rc1").what


@pytest.mark.parametrize("test", [b"", TEST * 2, b"EXPECTED_MAGIC_NUMBER = 3627\n", b"    EXPECTED_MAGIC_NUMBER = 3627 + 1\n"])
def test_a_test_that_expects_it_not_exactly_once(test: bytes) -> None:
    assert "test_util.py does not expect it exactly once" in problem(HEADER, test, "3.15.0rc1").what
