"""The real files of published releases, carried to the next release and past it."""

import pytest

from bot.release.facts import Severity
from bot.release.version import Version
from bot.verify.release_diff import FileChange, audit, magic_number_problem, post_release
from bot.verify.release_diff.magic_number import HEADER, TEST
from tests.release_diff.diff_builders import by_severity, context, real_files

README, PATCHLEVEL, TOPICS, MODULES = "README.rst", "Include/patchlevel.h", "Lib/pydoc_data/topics.py", "Lib/pydoc_data/module_docs.py"
NEWS = (
    ".. date: 2026-03-03\n.. gh-issue: 0\n.. no changes: True\n.. nonce: abcdef\n.. release date: 2026-03-03\n.. section: Library\n\n"
    "There were no new changes in version {}.\n"
)


@pytest.fixture(scope="module", params=["3.13.5", "3.14.4"])
def release(request: pytest.FixtureRequest) -> tuple[Version, dict[str, bytes]]:
    return Version.parse(request.param), real_files(request.param, [README, PATCHLEVEL, TOPICS, MODULES, HEADER, TEST])


def test_the_next_bugfix_release(release: tuple[Version, dict[str, bytes]]) -> None:
    last, files = release
    version = Version(last.major, last.minor, last.patch + 1)
    head = files | post_release(last, files[README], files[PATCHLEVEL])
    after = dict(files)
    after[README] = files[README].replace(str(last).encode(), str(version).encode())
    micro = f"PY_MICRO_VERSION        {last.patch}".encode()
    after[PATCHLEVEL] = (
        files[PATCHLEVEL].replace(str(last).encode(), str(version).encode()).replace(micro, micro[:-1] + b"%d" % version.patch)
    )
    after[TOPICS] = files[TOPICS].replace(b"The ", b"This ", 1)
    changes = [
        FileChange(path=path, old_mode="100644", new_mode="100644", old=head[path], new=after[path])
        for path in files
        if head[path] != after[path]
    ]
    news = NEWS.format(version).encode()
    changes.append(FileChange(path=version.news_file, old_mode=None, new_mode="100644", old=None, new=news))
    found = audit(changes, context(version))
    assert not by_severity(found, Severity.WAIVER)
    assert set(by_severity(found, Severity.EXPLAINED)) == {"readme", "patchlevel", "news"}
    assert by_severity(found, Severity.ACKNOWLEDGE)["generated"].what.endswith("0 added, 0 removed, 1 changed.")


def test_the_commit_after_the_release_changes_three_lines(release: tuple[Version, dict[str, bytes]]) -> None:
    version, files = release
    made = post_release(version, files[README], files[PATCHLEVEL])
    changed = [
        (path, old.decode(), new.decode())
        for path in (README, PATCHLEVEL)
        for old, new in zip(files[path].split(b"\n"), made[path].split(b"\n"), strict=True)
        if old != new
    ]
    assert changed == [
        (README, f"This is Python version {version}", f"This is Python version {version}+"),
        (README, "=" * 29, "=" * 30),
        (PATCHLEVEL, f'#define PY_VERSION              "{version}"', f'#define PY_VERSION              "{version}+"'),
    ]


@pytest.mark.parametrize("path", [TOPICS, MODULES])
def test_code_in_the_real_generated_files_is_refused(release: tuple[Version, dict[str, bytes]], path: str) -> None:
    version, files = release
    if path not in files:
        return
    for code in (b"\n__import__('os').system('true')\n", b"\ntopics['a'] = 'b'\n"):
        change = FileChange(path=path, old_mode="100644", new_mode="100644", old=files[path], new=files[path] + code)
        assert "generated" in by_severity(audit([change], context(version)), Severity.WAIVER)
    plain = FileChange(path=path, old_mode="100644", new_mode="100644", old=files[path], new=files[path] + b"# the end\n")
    assert "generated" in by_severity(audit([plain], context(version)), Severity.EXPLAINED)


def test_the_real_magic_number(release: tuple[Version, dict[str, bytes]]) -> None:
    version, files = release
    if version < Version.parse("3.14.0"):
        return
    assert magic_number_problem(files[HEADER], files[TEST], version) is None
    assert magic_number_problem(files[HEADER], files[TEST].replace(b"3627", b"3626"), version) is not None
