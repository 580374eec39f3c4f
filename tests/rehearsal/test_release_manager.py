"""The release manager's hands make exactly what the release tools make, with real git, GnuPG and SSH."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.rehearsal.keys import OpenPgpKey, SshKey, openpgp_key, ssh_key
from bot.rehearsal.person import Account
from bot.rehearsal.release_edits import merged_news
from bot.rehearsal.release_manager import Cut, ReleaseManager
from bot.rehearsal.repository import Identity
from bot.rehearsal.source_tree import small_tree
from bot.rehearsal.versions import PythonVersion

MANAGER = Identity(name="Release Manager", email="manager@rehearsal.invalid")
ALLOWED = re.compile(
    r"Misc/NEWS\.d/(next/[^/]+/.*gh-issue.*\.rst|3\.\d+\.\d+\w*\.rst)"
    r"|Include/patchlevel\.h|README\.rst|Lib/pydoc_data/(topics|module_docs)\.py|Doc/.*\.rst"
)


def git(where: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=where, check=True, capture_output=True, text=True).stdout.rstrip("\n")


def run(where: Path, *command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=where, input=given, capture_output=True, check=False)


class Desk:
    """Upstream, a fork of it, and a release manager between them."""

    def __init__(self, folder: Path, version: str) -> None:
        self.version = PythonVersion.parse(version)
        self.upstream = folder / "upstream.git"
        self.fork = folder / "fork.git"
        self.tree = small_tree(self.upstream, self.version)
        git(folder, "clone", "--quiet", "--bare", str(self.upstream), str(self.fork))
        account = Account(login="manager", token="ghp_made_up", identity=MANAGER)
        self.manager = ReleaseManager(account, home=folder / "manager", upstream=str(self.upstream), fork=str(self.fork))
        self.clone = folder / "manager" / "clone.git"

    @property
    def head(self) -> str:
        return self.tree.heads[self.version.branch]

    def changed(self, cut: Cut) -> dict[str, str]:
        lines = git(self.clone, "diff-tree", "-r", "--name-status", "--no-renames", cut.head, cut.commit).splitlines()
        return {path: status for status, path in (line.split("\t") for line in lines)}

    def show(self, cut: Cut, path: str) -> str:
        return git(self.clone, "show", f"{cut.commit}:{path}")


@pytest.fixture
async def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    desk = Desk(tmp_path, getattr(request, "param", "3.15.0a3"))
    await desk.manager.fetch()
    return desk


@pytest.fixture(scope="module")
def openpgp() -> Iterator[OpenPgpKey]:
    with openpgp_key(MANAGER) as key:
        yield key


@pytest.fixture
def ssh(tmp_path: Path) -> SshKey:
    return ssh_key(tmp_path / "ssh", MANAGER)


@pytest.mark.parametrize("desk", ["3.15.0a3", "3.15.0b1", "3.15.0rc1", "3.13.6", "3.12.13"], indirect=True)
async def test_a_release_is_exactly_one_commit_on_the_head(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    cut = await desk.manager.cut(desk.version, desk.head)
    with capsys.disabled():
        sys.stdout.write(f" [{time.perf_counter() - began:.2f} s]")
    assert git(desk.clone, "rev-list", "--parents", "-1", cut.commit) == f"{cut.commit} {desk.head}"
    assert git(desk.clone, "log", "-1", "--format=%B", cut.commit) == f"Python {desk.version}"
    assert all(ALLOWED.fullmatch(path) for path in desk.changed(cut))
    assert git(desk.clone, "diff-tree", "-r", "--summary", "--no-renames", "--diff-filter=TM", cut.head, cut.commit) == ""


async def test_the_commit_changes_what_the_release_tools_change(desk: Desk) -> None:
    cut = await desk.manager.cut(desk.version, desk.head)
    changed = desk.changed(cut)
    assert changed.pop("Misc/NEWS.d/3.15.0a3.rst") == "A"
    removed = {path for path in changed if path.startswith("Misc/NEWS.d/next/")}
    assert len(removed) == 4
    assert {changed.pop(path) for path in removed} == {"D"}
    assert changed == dict.fromkeys(
        [
            "Doc/c-api/parrot.rst",
            "Doc/library/parrot.rst",
            "Include/patchlevel.h",
            "Lib/pydoc_data/module_docs.py",
            "Lib/pydoc_data/topics.py",
            "README.rst",
        ],
        "M",
    )
    assert desk.show(cut, "README.rst").startswith("This is Python version 3.15.0 alpha 3\n=====================================\n\n")
    assert '"3.15.0a3"' in desk.show(cut, "Include/patchlevel.h")
    assert ".. versionchanged:: 3.15\n" in desk.show(cut, "Doc/library/parrot.rst")
    assert ".. deprecated-removed:: 3.15 3.20\n" in desk.show(cut, "Doc/library/parrot.rst")


async def test_the_news_are_merged_from_the_last_section_to_the_first(desk: Desk) -> None:
    cut = await desk.manager.cut(desk.version, desk.head)
    news = desk.show(cut, "Misc/NEWS.d/3.15.0a3.rst")
    assert re.findall(r"^\.\. section: (.*)$", news, re.MULTILINE) == ["macOS", "Security", "Library", "Core and Builtins"]
    assert news.count(".. release date: ") == 1
    assert news.index(".. release date: ") < news.index("\n..\n")
    assert all(len(line) <= 76 for line in news.splitlines())


def test_a_release_without_news_says_so() -> None:
    news = merged_news(PythonVersion.parse("3.12.13"), {}, datetime(2026, 3, 1, tzinfo=UTC))
    assert ".. no changes: True\n" in news
    assert ".. release date: 2026-03-01\n" in news
    assert news.endswith("There were no new changes in version 3.12.13.\n")


async def test_an_unsigned_tag_is_annotated_and_says_nothing_of_a_signature(desk: Desk) -> None:
    cut = await desk.manager.cut(desk.version, desk.head)
    content = git(desk.clone, "cat-file", "tag", cut.tag)
    assert content.startswith(f"object {cut.commit}\ntype commit\ntag v3.15.0a3\ntagger {MANAGER.name} <{MANAGER.email}> ")
    assert content.endswith("\n\nPython 3.15.0a3")
    assert run(desk.clone, "git", "verify-tag", "v3.15.0a3").returncode != 0


async def test_a_tag_signed_by_openpgp_is_verified_by_git(desk: Desk, openpgp: OpenPgpKey, tmp_path: Path) -> None:
    await desk.manager.cut(desk.version, desk.head, key=openpgp)
    ring = tmp_path / "ring"
    ring.mkdir(mode=0o700)
    run(ring, "gpg", "--batch", "--no-autostart", "--homedir", str(ring), "--import", given=openpgp.public().encode())
    verified = run(desk.clone, "env", f"GNUPGHOME={ring}", "git", "verify-tag", "--raw", "v3.15.0a3")
    assert verified.returncode == 0
    assert f"VALIDSIG {openpgp.fingerprint} ".encode() in verified.stderr


async def test_a_tag_signed_by_ssh_is_verified_by_ssh_keygen(desk: Desk, ssh: SshKey, tmp_path: Path) -> None:
    cut = await desk.manager.cut(desk.version, desk.head, key=ssh)
    payload, mark, signature = run(desk.clone, "git", "cat-file", "tag", cut.tag).stdout.partition(b"-----BEGIN SSH SIGNATURE-----")
    (tmp_path / "signature").write_bytes(mark + signature)
    (tmp_path / "signers").write_text(ssh.allowed_signer() + "\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", MANAGER.email, "-n", "git", "-s", "signature"]
    assert run(tmp_path, *command, given=payload).returncode == 0
    assert run(tmp_path, *command, given=payload + b"!").returncode != 0


async def test_the_branch_tip_is_another_commit_with_the_same_tree(desk: Desk) -> None:
    cut = await desk.manager.cut(desk.version, desk.head)
    await desk.manager.push_to_fork(cut)
    tip = git(desk.fork, "rev-parse", "branch-3.15.0a3")
    assert tip == cut.tip != cut.commit
    assert git(desk.fork, "rev-parse", f"{tip}^{{tree}}") == git(desk.fork, "rev-parse", f"{cut.commit}^{{tree}}")
    assert git(desk.fork, "rev-parse", f"{tip}^") == desk.head


async def test_the_fork_gets_branch_and_tag_and_upstream_nothing(desk: Desk) -> None:
    before = git(desk.upstream, "for-each-ref")
    cut = await desk.manager.cut(desk.version, desk.head)
    answer = await desk.manager.push_to_fork(cut)
    assert answer.accepted
    assert [ref.ref for ref in answer.refs] == ["refs/heads/branch-3.15.0a3", "refs/tags/v3.15.0a3"]
    assert git(desk.fork, "rev-parse", "v3.15.0a3") == cut.tag
    assert git(desk.upstream, "for-each-ref") == before


async def test_a_retag_is_another_object(desk: Desk) -> None:
    cut = await desk.manager.cut(desk.version, desk.head)
    await desk.manager.push_to_fork(cut)
    again = await desk.manager.retag(cut)
    assert (again.tag != cut.tag, again.commit) == (True, cut.commit)
    refused = await desk.manager.push_to_fork(again)
    assert refused.refused() == ["refs/tags/v3.15.0a3"]
    assert (await desk.manager.push_to_fork(again, force=True)).accepted
    assert git(desk.fork, "rev-parse", "v3.15.0a3") == again.tag


async def test_tampering_shows_in_the_commit(desk: Desk) -> None:
    extra = {"Lib/parrot.py": b"import os\n", "LICENSE": None, "configure": b"#! /bin/sh\nevil\n"}
    cut = await desk.manager.cut_with(desk.version, desk.head, extra_changes=extra)
    changed = desk.changed(cut)
    assert (changed["Lib/parrot.py"], changed["LICENSE"], changed["configure"]) == ("M", "D", "M")
    assert git(desk.clone, "ls-tree", cut.commit, "configure").startswith("100755 ")


@pytest.mark.parametrize("desk", ["3.15.0rc2"], indirect=True)
async def test_a_cherry_picked_release_has_its_picks_below_it(desk: Desk) -> None:
    fix = await desk.manager.merge_fix("3.15")
    assert fix.answer.accepted
    cut = await desk.manager.cut_cherry_picked(desk.version, "v3.15.0rc1", [fix.commit])
    subjects = git(desk.clone, "log", "--format=%s", f"v3.15.0rc1..{cut.commit}").splitlines()
    assert subjects == ["Python 3.15.0rc2", "gh-150001: Fix a shrubbery"]
    assert "Misc/NEWS.d/3.15.0rc2.rst" in desk.changed(cut)


async def test_the_release_script_to_its_end_pushes_upstream(desk: Desk) -> None:
    cut = await desk.manager.cut(desk.version, desk.head)
    answer = await desk.manager.run_release_script_to_its_end(cut)
    assert answer.accepted
    assert git(desk.upstream, "log", "--format=%s", "-2", "main").splitlines() == ["Post 3.15.0a3", "Python 3.15.0a3"]
    assert git(desk.upstream, "show", "main:README.rst").startswith("This is Python version 3.15.0 alpha 3+dev\n")
    assert git(desk.upstream, "rev-parse", "v3.15.0a3") == cut.tag


async def test_a_refused_push_is_reported_ref_by_ref(desk: Desk) -> None:
    hook = desk.upstream / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#! /bin/sh\necho frozen; exit 1\n")
    hook.chmod(0o755)
    cut = await desk.manager.cut(desk.version, desk.head)
    answer = await desk.manager.run_release_script_to_its_end(cut)
    assert answer.refused() == ["refs/heads/main", "refs/tags/v3.15.0a3"]
    assert "frozen" in answer.words
    assert not (await desk.manager.merge_fix("main")).answer.accepted


async def test_the_token_is_in_no_url_and_in_no_file(desk: Desk, tmp_path: Path) -> None:
    await desk.manager.push_to_fork(await desk.manager.cut(desk.version, desk.head))
    for path in (tmp_path / "manager").rglob("*"):
        assert path.is_dir() or b"ghp_made_up" not in path.read_bytes()
