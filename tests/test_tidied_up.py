"""What is decided when a release is tidied up: what is purged, which rules are copied, what drafts say, what people are handed."""

from dataclasses import replace

import pytest

from bot.effects import EffectMismatch
from bot.errors import Refused, Unavailable, UserError
from bot.profile.wrap_up import Checklist
from bot.publication.files import FTP, FileGroup, SeriesFiles, expected_files
from bot.release import plan
from bot.release.facts import Handed
from bot.release.ids import RulesetId, branch_ref
from bot.release.version import Kind, Version
from bot.services.github.labels import Label
from bot.services.github.shapes import BypassActor, Conditions, Rule, Ruleset
from bot.verify.release_diff.news_format import parse
from bot.words import announcement
from bot.words.announcement import Facts, News
from bot.words.thanks import Places
from bot.wrapping_up import new_branch, purge
from bot.wrapping_up.piece import Left, Piece, whole
from tests.release_builders import LATER, NOW, STARTER, done, passed, until

SERIES = SeriesFiles(groups=frozenset(FileGroup) - {FileGroup.SOURCE})


# --- what is purged


def purged(version: str, kind: Kind, *suffixes: str, page: str = "", documented: bool = False) -> list[str]:
    """Return what is purged of a release whose files are all there, with these companions, without the beginning of each address."""
    files = expected_files(Version.parse(version), kind, SERIES)
    there = {f"{file.url}{suffix}" for file in files for suffix in ("", *suffixes)}
    found = purge.addresses(Version.parse(version), files, there, page=page, documented=documented)
    return [address.removeprefix(FTP).removeprefix("https://www.python.org") for address in found]


def test_what_nobody_else_purges_is_purged() -> None:
    found = purged("3.15.0b1", Kind.FIRST_BETA, ".sigstore", ".asc", page="https://www.python.org/downloads/release/python-3150b1/")
    assert {"3.15.0/python-3.15.0b1-macos11.pkg", "3.15.0/python-3.15.0b1-macos11.pkg.sigstore"} <= set(found)
    assert {"3.15.0/python-3.15.0b1-iOS-XCframework.tar.gz", "3.15.0/python-3.15.0b1-x86_64-linux-android.tar.gz.sigstore"} <= set(found)
    assert {"3.15.0/python-3.15.0b1-amd64.exe.sigstore", "3.15.0/windows-3.15.0b1.json.sigstore"} <= set(found)
    assert {"3.15.0/", "/downloads/", "/downloads/macos/", "/downloads/ios/", "/downloads/release/python-3150b1/"} <= set(found)
    assert len(found) == len(set(found))


def test_what_the_release_tools_purge_themselves_is_not() -> None:
    found = purged("3.15.0b1", Kind.FIRST_BETA, ".sigstore", ".asc")
    assert not [one for one in found if "Python-3.15.0b1" in one or one.endswith(("amd64.exe", "amd64.exe.asc", "amd64.zip", "b1.json"))]


def test_what_is_not_there_is_never_touched() -> None:
    assert purge.addresses(Version.parse("3.15.0b1"), expected_files(Version.parse("3.15.0b1"), Kind.FIRST_BETA, SERIES), ()) == ()
    assert not [one for one in purged("3.15.0b1", Kind.FIRST_BETA) if one.endswith((".sigstore", ".asc", ".sig"))]
    assert not [one for one in purged("3.15.0rc1", Kind.CANDIDATE) if "doc" in one.replace("download", "")]


def test_the_archives_of_the_documentation_are_purged_where_they_were_proved_to_be_there() -> None:
    found = purged("3.15.0rc1", Kind.CANDIDATE, documented=True)
    assert {"doc/3.15.0rc1/", "doc/3.15.0rc1/python-3.15.0rc1-docs-html.zip", "https://docs.python.org/release/3.15.0rc1/"} <= set(found)


def test_what_is_not_forgotten_is_left_with_a_command_that_can_be_pasted() -> None:
    assert purge.judged(("a", "b"), {}) == "has forgotten 2 addresses of the release"
    with pytest.raises(Left, match="1 of 2 addresses were not forgotten") as left:
        purge.judged(("a", "b"), {"https://www.python.org/downloads/release/it's/": 403})
    assert left.value.text.startswith("curl -X PURGE -H 'Fastly-Soft-Purge: 1' 'https://www.python.org/downloads/release/it'\"'\"'s/'")


# --- the new branch


def a_ruleset(name: str = "protect 3.14", *include: str, **more: object) -> Ruleset:
    fields: dict[str, object] = {
        "id": RulesetId(7),
        "name": name,
        "enforcement": "active",
        "source": "python/cpython",
        "conditions": Conditions(include=include or ("refs/heads/3.14",), exclude=()),
        "rules": (Rule(type="deletion"), Rule(type="pull_request", parameters={"required_approving_review_count": 1})),
        "bypass_actors": (BypassActor(actor_type="Team", actor_id=3),),
        **more,
    }
    return Ruleset(**fields)  # type: ignore[arg-type]  # the fields of a ruleset, by name


def test_the_rules_of_the_branch_before_are_copied_for_the_new_one() -> None:
    before = a_ruleset("protect 3.14 (and not 3.14.1)", "refs/heads/3.14", "refs/heads/3.13")
    copy = new_branch.copied(before, "3.14", "3.15")
    assert (copy.name, copy.include, copy.exclude) == ("protect 3.15 (and not 3.14.1)", ("refs/heads/3.15",), ())
    assert (copy.rules, copy.bypass_actors, copy.enforcement) == (before.rules, before.bypass_actors, "active")
    assert new_branch.copied(a_ruleset("releases", enforcement="disabled"), "3.14", "3.15").name == "releases (3.15)"


def test_only_rules_that_name_the_branch_before_are_copied_and_no_freeze() -> None:
    ref = branch_ref("3.14")
    assert new_branch.names(a_ruleset(), ref)
    assert not new_branch.names(a_ruleset("all", "refs/heads/3.*"), ref)
    assert not new_branch.names(a_ruleset("release-freeze refs/heads/3.14 #1 cpython-3.14.7-1"), ref)


@pytest.mark.parametrize("more", [{"bypass_actors": None}, {"enforcement": "evaluate"}])
def test_rules_that_cannot_be_copied_whole_are_left_to_people(more: dict[str, object]) -> None:
    with pytest.raises(Refused):
        new_branch.copied(a_ruleset(**more), "3.14", "3.15")  # type: ignore[arg-type]  # fields by name


def test_a_label_is_made_after_that_of_the_series_before() -> None:
    pattern = Label(name="needs backport to 3.14", color="c2e0c6", description="bug and security fixes for 3.14, not 3.14.1")
    made = new_branch.after(pattern, "needs backport to 3.14", "needs backport to 3.15")
    assert made == Label(name="needs backport to 3.15", color="c2e0c6", description="bug and security fixes for 3.15, not 3.14.1")
    assert new_branch.before("3.15") == "3.14"


# --- what is announced

NEWS = """\
.. date: 2026-11-01-10-00-00
.. gh-issue: 1
.. nonce: AAAAAA
.. release date: 2026-11-20
.. section: Security

Fix :func:`ssl.wrap <ssl.wrap_socket>` and :mod:`!http`: no
``overflow``.

More of it.

..

.. date: 2026-11-01-10-00-01
.. gh-issue: 2
.. nonce: BBBBBB
.. section: Library

Add :pep:`810`.

..

.. date: 2026-11-01-10-00-02
.. gh-issue: 3
.. nonce: CCCCCC
.. section: Library

Add something.
"""


def test_news_are_counted_by_section_and_those_about_security_told() -> None:
    news = announcement.news_of(parse(NEWS))
    assert (news.counts, news.total) == ((("Library", 2), ("Security", 1)), 3)
    assert news.security == ("gh-1: Fix `ssl.wrap` and `http`: no `overflow`.",)
    none = parse(".. no changes: True\n.. date: 2026-11-20\n.. gh-issue: 0\n.. nonce: AAAAAA\n.. section: Library\n\nNo changes.\n")
    assert announcement.news_of(none) == News()


def test_what_news_say_calls_nobody_and_is_no_markup_but_code() -> None:
    hostile = "Thank @python/core, see <img src=x onerror=alert(1)> ![x](https://evil.example/x), *bold* and :func:`a|b`, not `@code`."
    line = announcement.in_one_line(hostile)
    assert "@python" not in line
    assert "<img" not in line
    assert "![x](" not in line
    assert r"\*bold\*" in line
    assert "`@code`" in line
    long = announcement.in_one_line(f"{'x' * (announcement.LONGEST - 5)} ``@mona and more``")
    assert len(long) < announcement.LONGEST + 20
    assert "@mona" not in long, "a piece of code that was cut off is none any more"
    odd = announcement.news_of(parse(NEWS.replace("section: Library", "section: @mona <b>").replace("gh-issue: 1", "gh-issue: @mona <b>")))
    said = " ".join((*odd.security, *(name for name, _ in odd.counts)))
    assert "mona" in said
    assert "@mona" not in said
    assert "<b>" not in said


def facts(news: News) -> Facts:
    places = Places(release_page="https://www.python.org/downloads/release/x/", tag="https://github.com/x", dossier="https://bot.example/d")
    return Facts(news=news, places=places, digest="ab" * 32, author='Mona "M" Lisa', day=NOW.date())


def test_the_drafts_tell_what_is_known_and_leave_the_rest_to_people() -> None:
    release = done()
    many = News(counts=(("Security", 50),), security=tuple(f"gh-{number}: x" for number in range(50)))
    forum = announcement.for_forum(release, facts(many), "https://discuss.python.org/c/core-dev/23")
    assert "Python 3.15.0 alpha 3 is out" in forum.title
    assert all(
        words in forum.text for words in ("[what is special", "- Security: 50", "- gh-39: x\n- and 10 more", "ab" * 32, "an alpha of")
    )
    post = announcement.for_blog(release, facts(News()), "python/python-insider-blog")
    assert post.title.endswith("content/posts/python-3150-alpha-3/index.md")
    assert post.text.startswith('---\ntitle: "Python 3.15.0 alpha 3 is out"\npublishDate: \'2026-11-20\'\nauthor: "Mona \\"M\\" Lisa"\n')
    assert "tags:\n  - releases\n" in post.text
    assert "What is new" not in post.text


def test_the_end_of_a_series_and_a_release_of_sources_are_told_as_what_they_are() -> None:
    ended = replace(done(), version=Version.end_of("3.10"), kind=Kind.END_OF_LIFE)
    text = announcement.for_forum(ended, facts(News()), "https://discuss.python.org/c/core-dev/23")
    assert "Python 3.10 has reached the end of its life" in text.title
    assert "there will be no more releases" in text.text
    security = replace(done(), version=Version.parse("3.12.13"), kind=Kind.SECURITY)
    assert "sources only" in announcement.for_forum(security, facts(News()), "https://x.example/").text
    assert announcement.post_path(security) == "content/posts/python-31213/index.md"


# --- what people are handed


def test_what_is_handed_over_is_a_row_that_nothing_waits_for() -> None:
    fact = Handed(step="wrap-up", who=(STARTER.login,), what="Announce it.")
    release = plan.apply(until("thaw"), "thaw", passed(fact), NOW)
    release = plan.learn(release, fact, LATER)
    rows = [act for act in release.people if act.step == "wrap-up"]
    assert [(row.who, row.what, row.since, row.done) for row in rows] == [((STARTER.login,), "Announce it.", NOW, NOW)]


def test_a_checklist_is_for_some_kinds_or_for_all() -> None:
    assert Checklist(items=("x",)).is_for(Kind.ALPHA)
    assert not Checklist(kinds=(Kind.FINAL,), items=("x",)).is_for(Kind.ALPHA)


@pytest.mark.parametrize("fault", [UserError("GitHub refused [request 1]: no."), EffectMismatch("other parameters")])
async def test_what_fails_for_certain_is_left_to_people_and_keeps_nothing_else_from_being_done(fault: Exception) -> None:
    async def failing() -> tuple[Piece, ...]:
        raise fault

    (piece,) = await whole("labels", failing())
    assert piece.left
    assert piece.value.endswith("Please see to it.")
    assert "request" not in piece.value

    async def silent() -> tuple[Piece, ...]:
        raise Unavailable("nobody answers")

    with pytest.raises(Unavailable):
        await whole("labels", silent())


def test_what_is_left_shows_it() -> None:
    assert Piece(what="x", value="it is not there.", left=True).evidence.value == "left as it is: it is not there."
