import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services.git import Git, GitError
from bot.services.git.names import is_ref, object_id, ref_pattern, repository, server


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab3.@{}~^:?*[\\-/ \x7f\tlockLOCKé", min_size=1, max_size=14), st.sampled_from(["heads", "tags"]))
def test_no_ref_is_accepted_that_git_refuses(text: str, space: str) -> None:
    name = f"refs/{space}/{text}"
    if is_ref(name):
        subprocess.run(["git", "check-ref-format", name], check=True)


@pytest.mark.parametrize("name", ["refs/heads/main", "refs/heads/3.15", "refs/tags/v3.15.0a3", "refs/heads/azure/sdk_1+x"])
def test_real_refs_are_accepted(name: str) -> None:
    assert is_ref(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "main",
            "refs/heads/",
            "refs/heads",
            "refs/pull/1/head",
            "refs/heads/a..b",
            "refs/heads/.a",
            "refs/heads/a.lock",
            "refs/heads/a/",
        ),
        *("refs/heads//a", "refs/heads/a b", "refs/heads/a.", "refs/heads/-f", "refs/heads/@{1}", "refs/heads/é", "refs/tags/v3\u20241"),
        *("refs/heads/a\n", "refs/heads/a*"),
    ],
)
def test_other_names_are_refused(name: str) -> None:
    assert not is_ref(name)


@pytest.mark.parametrize("text", ["", "main", "HEAD", "a" * 39, "A" * 40, "0" * 40, "a" * 41, "--upload-pack=x", "a" * 40 + "\n"])
def test_only_full_ids_are_ids(text: str) -> None:
    with pytest.raises(GitError, match="not the full id"):
        object_id(text)


@pytest.mark.parametrize("text", ["", "a", "a/b/c", "../b", "a/..", "-a/b", "a/b.git", "a/b c", "a/b\n", "https://x/y", "a/b?c"])
def test_only_owner_and_name_is_a_repository(text: str) -> None:
    with pytest.raises(GitError, match="OWNER/NAME"):
        repository(text)


@pytest.mark.parametrize(
    "url", ["http://github.com", "ssh://git@github.com", "file:///tmp", "https://u:p@github.com", "https://github.com/?x", "github.com", ""]
)
def test_only_a_plain_https_server_is_a_server(url: str) -> None:
    with pytest.raises(GitError, match="GITHUB_SERVER_URL"):
        server(url)


def test_a_pattern_is_a_ref_with_stars() -> None:
    assert ref_pattern("refs/tags/v3.*") == "refs/tags/v3.*"
    with pytest.raises(GitError, match="pattern"):
        ref_pattern("refs/tags/v3.[ab]")


async def test_malformed_input_never_reaches_git(git_client: Git) -> None:
    with pytest.raises(GitError):
        await git_client.kind("--help")
    with pytest.raises(GitError):
        await git_client.diff("HEAD", "a" * 40)
