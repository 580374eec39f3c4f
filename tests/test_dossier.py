"""The dossier of a release: all that is known of it, closed before the wrap-up, the same for ever."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from bot import __version__
from bot.dossier_docs import page, schema
from bot.journal import Head
from bot.release import course, dossier, plan
from bot.release.facts import (
    NOT_SEEN,
    Build,
    BuiltFile,
    Checked,
    Place,
    ProofRow,
    Proved,
    Run,
    Signed,
)
from bot.release.ids import CommentId
from bot.release.model import (
    Acknowledgement,
    Actor,
    Approval,
    Deferral,
    Go,
    HandWork,
    HumanAct,
    Recall,
    Release,
    ReleaseState,
    StepState,
    StepStatus,
    Waiver,
)
from bot.release.outcomes import Evidence
from bot.release.published import Ended, FileRead, PublicationSeen, Stated
from bot.release.record import Said, Seal
from bot.release.rows import CANCEL, HALT, OPEN, WITHDRAW, closed, left_running
from bot.sealing import installed, rows, sealed, versions
from bot.state import dump, load
from bot.verify.result import ProofName, Proven, Result
from bot.words import thanks
from bot.words.status import status
from tests.release_builders import (
    APPROVER,
    HEAD,
    LATER,
    MANAGER,
    NOW,
    SOON,
    SPECS,
    STARTER,
    a_tag,
    done,
    needs,
    opened,
    passed,
    to_be_waived,
    until,
    waiting,
)

SAID = CommentId(77)
MOVED = NOW + timedelta(seconds=10)
END = NOW + timedelta(hours=2, minutes=5)

RULES = Evidence(what="rules of this release", value="none left")
RUN = Run(
    step="windows",
    purpose="build",
    number=1,
    attempt=1,
    id=1001,
    name="Release_v3.15.0a3_20261120.01",
    url="https://dev.azure.com/Python/cpython/_build/results?buildId=1001",
    ordered=(("SourceTag", "v3.15.0a3"), ("DoPublish", "false")),
    at=SOON,
    result="succeeded",
    certificate="Python Software Foundation",
)
FTP = "https://www.python.org/ftp/python/3.15.0/"
SOURCE, OTHER = "Python-3.15.0a3.tgz", "Python-3.15.0a3.tgz.sigstore"
INSTALLER = "python-3.15.0a3-macos11.pkg"


def read(name: str, digest: str, at: datetime = LATER) -> FileRead:
    return FileRead(url=f"{FTP}{name}", at=at, ended=Ended.READ, size=5, md5=digest * 32, sha256=digest * 64)


PUBLISHED = PublicationSeen(
    rows="d" * 12,
    first=SOON,
    again=LATER,
    right=True,
    content="9" * 64,
    earlier=(read(SOURCE, "6", SOON), read(OTHER, "7", SOON)),
    files=(read(SOURCE, "6"), FileRead(url=f"{FTP}{OTHER}", at=LATER, ended=Ended.WITHHELD, status=403, why="HTTP 403")),
    stated=(Stated(url=f"{FTP}{SOURCE}", size=5, md5="6" * 32, sha256="6" * 64),),
)
PROVED = Proved(
    step="publication",
    at=LATER,
    results=(
        ProofRow(subject=SOURCE, proof="Sigstore", verdict="verified", why="It is signed by its manager.", signer="hugo@python.org"),
        ProofRow(
            subject=SOURCE, proof="OpenPGP", verdict="absent as expected", why="From 3.14 on there is none.", diagnostics=("PEP 761",)
        ),
    ),
    roots=(("trusted_root.json", "8" * 64),),
    versions=(("sigstore", "4.5.1"), ("gpgv", "2.2.40")),
)
PLACE = Place(path="Lib/os.py", line=3, last=4, message="Look.")
SEAL = Seal(at=END, sequence=321, hash="e" * 64, versions=(("brother-maynard", "0.1.0"), ("sigstore", "4.5.1")))


def said(verb: str, by: Actor, what: str) -> Said:
    return Said(verb=verb, by=by.id, login=by.login, comment=SAID, said=NOW, at=SOON, what=what)


def full() -> Release:
    """Return a release that has everything, and is about to be wrapped up."""
    tag = a_tag()
    release = done()
    return replace(
        release,
        state=ReleaseState.RUNNING,
        attempt=2,
        steps=(
            *(replace(step, began=NOW, ended=END if step.name == "thaw" else LATER, evidence=(RULES,)) for step in release.steps),
            StepState(name="windows", status=StepStatus.PASSED, began=NOW, ended=LATER),
            StepState(name="windows-publish", status=StepStatus.NOT_APPLICABLE, why="A security release does not have this step."),
            StepState(name="wrap-up"),
        ),
        past=plan.next_attempt(until("push"), "the tag was moved", MOVED).past,
        checked=(Checked(step="preflight", subject=HEAD, findings=(replace(to_be_waived(), subject=("#1",), places=(PLACE,)),)),),
        proofs=(PROVED,),
        commands=(said("release", STARTER, "opened the release"), said("approve", STARTER, f"approved the tag {tag.object}")),
        seal=SEAL,
        approvals=(Approval(by=STARTER, tag=tag.object, plan="p" * 12, at=SOON, comment=SAID),),
        acknowledgements=(Acknowledgement(by=STARTER, digest="f" * 12, at=SOON, comment=SAID),),
        waivers=(Waiver(by=APPROVER, check="blockers", sha=HEAD, digest="e" * 12, reason="It can wait.", at=SOON, comment=SAID),),
        go=Go(by=MANAGER, tag=tag.object, results="r" * 12, at=SOON, comment=SAID),
        hand_work=(HandWork(name="macos", by=APPROVER, tag=tag.object, sha256="5" * 64, at=SOON, comment=SAID),),
        deferrals=(Deferral(name="android", by=STARTER, tag=tag.object, reason="Tomorrow.", at=SOON, comment=SAID),),
        recalls=(Recall(by=STARTER, reason="A bad file.", at=SOON, comment=SAID),),
        runs=(RUN,),
        builds=(
            Build(
                step="source",
                tag=tag.object,
                commit=tag.commit,
                files=(BuiltFile(name="Python-3.15.0a3.tgz", sha256="6" * 64, size=5),),
                url="https://github.com/python/release-tools/actions/runs/1",
                at=SOON,
            ),
            Build(
                step="macos",
                tag=tag.object,
                commit=tag.commit,
                files=(BuiltFile(name=INSTALLER, sha256="5" * 64),),
                url="",
                at=SOON,
            ),
        ),
        publication=PUBLISHED,
        people=(
            HumanAct(step=OPEN, who=("hugovk",), what="Start the release.", since=NOW, done=NOW),
            HumanAct(step=HALT, who=("barry",), what="It is halted.", since=NOW, done=SOON),
            HumanAct(step="tag", who=("hugovk",), what="Cut it.", since=NOW, done=SOON),
            HumanAct(step="windows", who=("zooba",), what="Sign it.", since=NOW, done=SOON),
            HumanAct(step="windows", who=("anna", "ben"), what="Sign it again.", since=NOW, done=SOON),
            HumanAct(step="preflight", who=("hugovk", "ned-deily"), what="Waive it.", since=NOW, done=SOON),
        ),
    )


def digest(release: Release) -> str:
    return dossier.digest(dossier.dossier(release))


def test_the_dossier_holds_everything() -> None:
    document = dossier.dossier(full())
    assert {name: document[name] for name in ("version", "kind", "outcome", "opened", "closed", "seconds", "attempt", "pushed")} == {
        "version": "3.15.0a3",
        "kind": "alpha",
        "outcome": "released",
        "opened": "2026-11-20T12:30:00Z",
        "closed": "2026-11-20T14:35:00Z",
        "seconds": 7500,
        "attempt": 2,
        "pushed": "2026-11-20T12:30:00Z",
    }
    assert document["tag"]["object"] == "a" * 40
    assert [line["new"] for line in document["plan"]] == ["a" * 39 + "0", "a" * 40]
    hugo, when = {"id": 1, "login": "hugovk"}, {"at": "2026-11-20T12:31:00Z", "comment": 77}
    ned = {"id": 3, "login": "ned-deily"}
    assert document["approvals"] == [{"by": hugo, **when, "tag": "a" * 40, "plan": "p" * 12}]
    assert document["acknowledgements"] == [{"by": hugo, **when, "findings": "f" * 12}]
    [waiver] = document["waivers"]
    assert waiver == {"by": ned, **when, "check": "blockers", "sha": HEAD, "findings": "e" * 12, "reason": "It can wait."}
    assert document["go"] == {"by": {"id": 2, "login": "pablogsal"}, **when, "tag": "a" * 40, "results": "r" * 12}
    assert document["hand_work"] == [{"by": ned, **when, "step": "macos", "tag": "a" * 40, "sha256": "5" * 64}]
    assert document["deferrals"] == [{"by": hugo, **when, "step": "android", "tag": "a" * 40, "reason": "Tomorrow."}]
    assert document["recalls"] == [{"by": hugo, **when, "reason": "A bad file."}]
    [run] = document["runs"]
    assert (run["id"], run["result"], run["certificate"]) == (1001, "succeeded", "Python Software Foundation")
    assert run["ordered"] == [{"name": "SourceTag", "value": "v3.15.0a3"}, {"name": "DoPublish", "value": "false"}]
    assert document["builds"][0]["files"] == [{"name": "Python-3.15.0a3.tgz", "sha256": "6" * 64, "size": 5}]
    assert document["builds"][1]["url"] is None
    assert document["publication"]["again"] == "2026-11-20T13:30:00Z"
    [finding] = document["checks"][0]["findings"]
    assert (finding["subjects"], finding["places"]) == (["#1"], [{"path": "Lib/os.py", "line": 3, "last": 4, "message": "Look."}])
    [past] = document["earlier_attempts"]
    assert (past["attempt"], past["why"], past["tag"]["object"], past["head"]) == (1, "the tag was moved", "a" * 40, HEAD)
    thaw = next(step for step in document["steps"] if step["step"] == "thaw")
    assert (thaw["state"], thaw["seconds"]) == ("passed", 7500)
    assert thaw["evidence"] == [{"what": "rules of this release", "value": "none left", "url": None}]
    assert document["people"][3] == {
        "step": "windows",
        "who": ["zooba"],
        "what": "Sign it.",
        "since": "2026-11-20T12:30:00Z",
        "done": "2026-11-20T12:31:00Z",
        "seconds": 60,
    }


def test_it_says_of_every_file_who_stated_which_hash_and_when() -> None:
    source, vouching, installer = dossier.dossier(full())["files"]
    assert (source["name"], source["url"]) == (SOURCE, f"{FTP}{SOURCE}")
    [made] = source["made"]
    assert (made["step"], made["by"], made["sha256"], made["size"]) == ("source", None, "6" * 64, 5)
    assert source["stated"] == {"size": 5, "md5": "6" * 32, "sha256": "6" * 64}
    assert [(read["at"], read["size"], read["md5"]) for read in source["read"]] == [
        ("2026-11-20T12:31:00Z", 5, "6" * 32),
        ("2026-11-20T13:30:00Z", 5, "6" * 32),
    ]
    assert (vouching["name"], vouching["made"], vouching["stated"]) == (OTHER, [], None)
    withheld = vouching["read"][1]
    assert [withheld[key] for key in ("ended", "size", "sha256", "why")] == ["withheld", None, None, "HTTP 403"]
    [expert] = installer["made"]
    assert (installer["name"], installer["url"], installer["read"]) == (INSTALLER, None, [])
    assert (expert["by"], expert["sha256"], expert["size"]) == ({"id": 3, "login": "ned-deily"}, "5" * 64, None)


def test_it_says_who_acted_what_was_proved_and_with_what() -> None:
    document = dossier.dossier(full())
    assert document["actors"] == [
        {"id": 1, "login": "hugovk", "did": ["release", "tag", "approve", "ack", "defer", "abort"]},
        {"id": 2, "login": "pablogsal", "did": ["go"]},
        {"id": 3, "login": "ned-deily", "did": ["waive", "done"]},
    ]
    assert [(one["verb"], one["by"]["id"], one["comment"], one["said"], one["at"]) for one in document["commands"]] == [
        ("release", 1, 77, "2026-11-20T12:30:00Z", "2026-11-20T12:31:00Z"),
        ("approve", 1, 77, "2026-11-20T12:30:00Z", "2026-11-20T12:31:00Z"),
    ]
    assert [(one["subject"], one["proof"], one["verdict"], one["signer"]) for one in document["proofs"]] == [
        (SOURCE, "Sigstore", "verified", "hugo@python.org"),
        (SOURCE, "OpenPGP", "absent as expected", None),
    ]
    assert document["roots"] == [{"name": "trusted_root.json", "sha256": "8" * 64}]
    assert [(one["name"], one["version"]) for one in document["versions"]] == [
        ("brother-maynard", "0.1.0"),
        ("gpgv", "2.2.40"),
        ("sigstore", "4.5.1"),
    ]
    assert document["journal"] == {"at": "2026-11-20T14:35:00Z", "sequence": 321, "hash": "e" * 64}


def test_an_unsigned_tag_rests_on_a_typed_id_and_a_signed_one_on_its_signer() -> None:
    unsigned = dossier.dossier(full())
    assert (unsigned["tag"]["signature"], unsigned["tag"]["vouched"]) == ("unsigned", "unsigned: typed SHA")
    # The approval of an attempt that lapsed is gone; the command by which it was given is not.
    assert unsigned["earlier_attempts"][0]["tag"]["vouched"] == "unsigned: typed SHA"
    nobody = replace(full(), approvals=(), commands=())
    assert dossier.dossier(nobody)["tag"]["vouched"] == "nobody"
    signed = replace(full(), tag=replace(a_tag(), signature=Signed.SSH, signer="SHA256:abc"))
    assert dossier.dossier(signed)["tag"]["vouched"] == "SHA256:abc"


ANN = HumanAct(step="tag", who=("ann",), what="Cut it.", since=NOW, done=SOON)
OVERLAP = HumanAct(step="audit", who=("ben",), what="Look.", since=NOW + timedelta(seconds=30), done=NOW + timedelta(seconds=90))
INSIDE = HumanAct(step="audit", who=("cid",), what="Look too.", since=NOW + timedelta(seconds=40), done=NOW + timedelta(seconds=50))
LATE = HumanAct(step="thaw", who=("dan",), what="Thaw it.", since=END - timedelta(seconds=5))
STARTED = HumanAct(step=OPEN, who=("eve",), what="Start.", since=NOW, done=END)


@pytest.mark.parametrize(
    ("people", "seconds"),
    [((), 0), ((ANN,), 60), ((INSIDE, OVERLAP, ANN), 90), ((ANN, LATE), 65), ((STARTED,), 0)],
    ids=["nobody", "one", "several at once", "to the end", "whoever started it"],
)
def test_each_moment_of_waiting_for_people_counts_once(people: tuple[HumanAct, ...], seconds: int) -> None:
    assert dossier.dossier(replace(full(), people=people))["seconds_waited"] == seconds


def test_a_step_waited_only_as_long_as_it_lasted() -> None:
    release = replace(full(), people=(ANN, replace(LATE, step="audit", since=NOW, done=END + timedelta(hours=1))))
    waited = {step["step"]: step["seconds_waited"] for step in dossier.dossier(release)["steps"]}
    assert (waited["tag"], waited["audit"], waited["freeze"], waited["windows-publish"]) == (60, 3600, 0, 0)


def test_as_long_as_it_is_open_nobody_knows_how_long_is_waited() -> None:
    assert dossier.dossier(replace(until("approve"), people=(LATE,)))["seconds_waited"] == 0


TOKEN = "ghs_" + "a1B2" * 10


def test_no_secret_gets_into_it_wherever_it_comes_from() -> None:
    leak = f"It said {TOKEN}."
    release = replace(
        full(),
        deferrals=(replace(full().deferrals[0], reason=leak),),
        steps=(replace(full().steps[0], why=leak, diagnostics=(leak,), evidence=(Evidence(what="log", value=leak),)),),
        runs=(replace(RUN, ordered=(("Token", TOKEN),)),),
        proofs=(replace(PROVED, results=(replace(PROVED.results[0], diagnostics=(leak,)),)),),
    )
    text = dossier.written(dossier.dossier(release)).decode()
    assert TOKEN not in text
    assert text.count("[secret]") == 6


# --- form, bytes and digest


def keys(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of every key in a document."""
    for key, one in value.items() if isinstance(value, dict) else ((f"{path}[]", one) for one in value) if isinstance(value, list) else ():
        place = key if isinstance(value, list) else f"{path}.{key}"
        yield place
        yield from keys(one, place)


def test_the_keys_of_a_format_never_change() -> None:
    """Every digest that was ever published depends on them: let other keys be another format, and keep writing the old one as it was."""
    known = "\n".join(sorted(set(keys(dossier.dossier(full())))))
    assert dossier.FORMAT == 2
    assert hashlib.sha256(known.encode()).hexdigest() == "4763e60065f31e6aec7226483f1dca95ce1278a4b9ef5a67a69f8e6778027ae1", known


RELEASES: dict[str, Callable[[], Release]] = {"full": full, "just opened": opened, "under way": lambda: until("thaw"), "done": done}


@pytest.mark.parametrize("name", RELEASES)
def test_it_has_the_form_that_is_documented(name: str) -> None:
    document = json.loads(dossier.written(dossier.dossier(RELEASES[name]())))
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_the_documentation_is_that_of_the_program() -> None:
    assert (Path(__file__).parent.parent / "docs" / "dossier.md").read_text(encoding="utf-8") == page()


def test_the_digest_is_that_of_the_bytes_and_survives_the_database() -> None:
    content = dossier.written(dossier.dossier(full()))
    assert hashlib.sha256(content).hexdigest() == digest(full()) == digest(load(dump(full())))
    assert json.loads(content) == dossier.dossier(full())


def test_the_bytes_are_canonical() -> None:
    odd = replace(full(), deferrals=(replace(full().deferrals[0], reason='é\u2028\x7f\x01\t"\\/ \N{PARTY POPPER}'),))
    content = dossier.written(dossier.dossier(odd))
    assert '"reason":"é\u2028\x7f\\u0001\\t\\"\\\\/ \N{PARTY POPPER}","step":"android"'.encode() in content
    assert content.startswith(b'{"acknowledgements":[{"at":"2026-11-20T12:31:00Z","by":{"id":1,"login":"hugovk"},"comment":77,"findings":"')
    assert not content.endswith(b"\n")


def test_the_bytes_are_those_of_another_program() -> None:
    other = pytest.importorskip("rfc8785", reason="it comes with what verifies Sigstore's bundles")
    document = dossier.dossier(full())
    assert dossier.written(document) == other.dumps(document)


def test_what_was_stored_before_there_were_seals_can_still_be_read() -> None:
    stored = json.loads(dump(full()))
    for name in ("seal", "commands", "proofs", "later"):
        stored.pop(name, None)
    for name in ("earlier", "files", "stated"):
        del stored["publication"][name]
    for name in ("result", "certificate"):
        del stored["runs"][0][name]
    old = load(json.dumps(stored))
    assert (old.seal, old.commands, old.proofs) == (None, (), ())
    document = dossier.dossier(old)
    assert (document["journal"], document["versions"], document["runs"][0]["result"]) == (None, [], None)
    jsonschema.Draft202012Validator(schema()).validate(json.loads(dossier.written(document)))


# --- when it is sealed, and where it is


def test_it_is_sealed_when_it_closes_and_only_then() -> None:
    assert not dossier.to_seal(until("thaw"))
    unsealed = replace(full(), seal=None)
    assert dossier.to_seal(unsealed)
    assert not dossier.to_seal(full())
    # Its digest was published without a seal by an earlier version of the bot.
    assert not dossier.to_seal(plan.apply(unsealed, "wrap-up", passed(), LATER))
    release, note = sealed(unsealed, Head(sequence=7, hash="f" * 64), END)
    assert release.seal is not None
    assert (release.seal.sequence, release.seal.hash, dict(release.seal.versions)["brother-maynard"]) == (7, "f" * 64, __version__)
    assert note.details["sha256"] == digest(release)


def test_the_versions_are_of_what_is_installed() -> None:
    named = dict(versions())
    assert {"brother-maynard", "python", "cryptography"} <= named.keys()
    assert all(named.values())
    assert list(installed(["jinja2", "no-such-library"])) == [("jinja2", version("jinja2"))]


def test_results_of_proofs_are_kept_as_they_are() -> None:
    result = Result.of(SOURCE, ProofName.SIGSTORE, Proven(why="It is signed.", signer="hugo@python.org", diagnostics=("x",)))
    kept = ProofRow(subject=SOURCE, proof="Sigstore", verdict="verified", why="It is signed.", signer="hugo@python.org", diagnostics=("x",))
    assert rows([result, Result.absent(SOURCE, ProofName.OPENPGP, "None.")])[0] == kept


def test_what_a_step_proves_anew_takes_the_place_of_what_it_proved_before_and_lapses_with_the_attempt() -> None:
    other = replace(PROVED, step="audit")
    release = plan.learn(plan.learn(replace(full(), proofs=()), other, NOW), PROVED, NOW)
    again = plan.learn(release, replace(PROVED, results=()), NOW)
    assert [(one.step, len(one.results)) for one in again.proofs] == [("audit", 2), ("publication", 0)]
    assert plan.next_attempt(again, "the tag was moved", LATER).proofs == ()


def test_an_aborted_release_is_named_in_the_address_of_its_dossier() -> None:
    assert dossier.path(full()) == "/releases/cpython/3.15.0a3/dossier"
    aborted = replace(full(), state=ReleaseState.ABORTED)
    assert dossier.path(aborted, ".json") == "/releases/cpython/3.15.0a3/dossier.json?release=cpython-3.15.0a3-42"


def test_the_status_anchors_the_digest_once_the_release_is_over() -> None:
    over = replace(full(), state=ReleaseState.DONE)
    text = status(over, SPECS, site="https://bot.example")
    page = "https://bot.example/releases/cpython/3.15.0a3/dossier"
    assert f"**Dossier**: [every id, hash, signature, run and decision]({page}), SHA-256 `{digest(over)}`." in text
    assert f"**Dossier**, SHA-256 `{digest(over)}`." in status(over, SPECS)
    for unanchored in (full(), replace(over, seal=None)):
        assert "**Dossier**" not in status(unanchored, SPECS, site="https://bot.example")


# --- what comes afterwards


AFTERWARDS: dict[str, Callable[[Release], Release]] = {
    "it ends": lambda release: plan.apply(release, "wrap-up", passed(), LATER + timedelta(hours=9)),
    "it waits": lambda release: plan.apply(release, "wrap-up", waiting(), LATER + timedelta(hours=9)),
    "somebody is asked": lambda release: plan.apply(release, "wrap-up", needs("Look.", say="x"), LATER + timedelta(hours=9)),
    "somebody halts it": lambda release: plan.halted(release, "Wait.", STARTER, END + timedelta(seconds=1)),
    "somebody commands": lambda release: replace(
        release, commands=(*release.commands, replace(release.commands[0], at=END + timedelta(seconds=1)))
    ),
    "somebody approves it once more": lambda release: replace(
        release, approvals=(*release.approvals, replace(release.approvals[0], at=END + timedelta(seconds=1)))
    ),
    "a run of an earlier attempt ends": lambda release: replace(release, runs=(replace(RUN, over=True),)),
    "the status is edited": lambda release: replace(release, status_comment=SAID, status_revision=9, heard=(SAID,)),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_nothing_that_comes_after_the_end_changes_it(what: str) -> None:
    after = AFTERWARDS[what](full())
    assert after != full()
    assert digest(after) == digest(full())


AFTER = END + timedelta(minutes=5)

CLOSED_LATE: dict[str, Callable[[Release], Release]] = {
    "the run is over": lambda release: left_running(release, [], AFTER),
    "another run has to be cancelled": lambda release: left_running(release, ["Please cancel the run 2."], AFTER),
    "the release is done": lambda release: plan.apply(release, "wrap-up", passed(), AFTER),
    "somebody halts it": lambda release: plan.halted(release, "Wait.", STARTER, AFTER),
}


@pytest.mark.parametrize("what", CLOSED_LATE)
def test_a_row_that_is_closed_after_the_end_stays_open_in_the_dossier(what: str) -> None:
    release = left_running(replace(full(), runs=(replace(RUN, over=True),)), ["Please cancel the run 1."], SOON)
    after = CLOSED_LATE[what](release)
    assert [act.done for act in after.people if act.what == "Please cancel the run 1."] == [AFTER]
    assert digest(after) == digest(release)
    [row] = [one for one in dossier.dossier(after)["people"] if one["step"] == CANCEL]
    assert (row["what"], row["done"], row["seconds"]) == ("Please cancel the run 1.", None, None)


def test_what_is_withdrawn_of_an_aborted_release_does_not_change_its_dossier() -> None:
    aborted = plan.apply(plan.aborting(replace(full(), runs=(), pushed=None), "A bad file.", STARTER, AFTER), "thaw", needs(), AFTER)
    aborted = plan.apply(aborted, "thaw", passed(), AFTER + timedelta(minutes=1))
    assert aborted.state is ReleaseState.ABORTED
    withdrawn = replace(aborted, people=tuple(closed(act, AFTER + timedelta(hours=1)) for act in aborted.people))
    assert withdrawn != aborted
    assert digest(withdrawn) == digest(aborted)
    assert [one["done"] for one in dossier.dossier(withdrawn)["people"] if one["step"] == WITHDRAW] == [None]


def test_a_dossier_is_not_closed_before_every_run_is_known() -> None:
    lost = replace(RUN, id=NOT_SEEN, name="windows queue build 1", url="")
    assert dossier.closed(replace(full(), runs=(lost,))) is None
    assert dossier.closed(replace(full(), runs=(replace(lost, over=True),))) == END
    assert dossier.closed(replace(full(), runs=(RUN,))) == END


def test_the_dossier_of_a_release_under_way_is_open() -> None:
    for release in (opened(), until("approve"), until("thaw")):
        assert dossier.closed(release) is None
        document = dossier.dossier(release)
        assert (document["outcome"], document["closed"], document["seconds"]) == ("under way", None, None)
    asked = plan.apply(until("approve"), "approve", needs(), LATER)
    assert dossier.dossier(asked)["people"][-1]["done"] is None


def test_an_aborted_release_has_a_dossier_too() -> None:
    started = course.align(replace(opened(), manager=None), [course.StepSpec(name="freeze"), course.StepSpec(name="thaw")])
    aborting = plan.aborting(started, "a blocker", STARTER, SOON)
    assert dossier.closed(aborting) is None
    aborted = plan.apply(aborting, "thaw", passed(), LATER)
    document = dossier.dossier(aborted)
    assert aborted.state is ReleaseState.ABORTED
    assert (document["outcome"], document["closed"], document["manager"]) == ("aborted", "2026-11-20T13:30:00Z", None)


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    release = full()
    early = replace(release, people=(HumanAct(step="tag", who=("hugovk",), what="Cut it.", since=SOON, done=NOW),))
    assert dossier.dossier(early)["people"][0]["seconds"] == 0


# --- the last word


PLACES = thanks.Places(
    release_page="https://www.python.org/downloads/release/python-3150a3/",
    tag="https://github.com/python/cpython/releases/tag/v3.15.0a3",
    dossier="https://bot.example/releases/cpython/3.15.0a3/dossier.json",
)


def test_everybody_who_acted_is_thanked_and_nobody_is_mentioned() -> None:
    left = Evidence(what="branch x", value="left as it is: @everybody may look.", url="https://github.com/hugovk/cpython/branches")
    text = thanks.thanks(full(), PLACES, tagger="hugovk", rest=thanks.Rest(left=(left,)))
    assert text.splitlines()[:2] == [
        "<!-- brother-maynard release=cpython-3.15.0a3-42 -->",
        "<!-- about=thanks-cpython-3.15.0a3-42 -->",
    ]
    assert "cpython 3.15.0a3 is out" in text
    assert "Thank you, `hugovk`, `ned-deily`, `pablogsal` and `zooba`, and whoever it was of `anna` or `ben`!" in text
    assert "@e" not in text
    assert "It took 2 h 5 min from the first word to the open branch. People were asked for 4 things, in 2 attempts." in text
    assert f"| Release page | {PLACES.release_page} |" in text
    assert f"[v3.15.0a3]({PLACES.tag}), object `{'a' * 40}`" in text
    assert f"]({PLACES.dossier}), SHA-256 `{digest(full())}` |" in text
    assert "| thaw | took 2 h 5 min |" in text
    assert "- branch x: left as it is: @\N{ZERO WIDTH SPACE}everybody may look. [Look](https://github.com/hugovk/cpython/branches)" in text


SHUT: dict[str, HumanAct] = {
    "by a halt": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=SOON),
    "with its attempt": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=MOVED),
    "without its step": HumanAct(step="windows-publish", who=("barry",), what="Publish it.", since=NOW, done=LATER),
    "by nobody": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW),
    "after the end": HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=END + timedelta(seconds=1)),
    "for no step": HumanAct(step=CANCEL, who=("barry",), what="Cancel it.", since=NOW, done=LATER),
    "in an attempt that did not come so far": HumanAct(step="push", who=("barry",), what="Mend it.", since=NOW, done=NOW),
}


@pytest.mark.parametrize("how", SHUT)
def test_nobody_is_thanked_for_what_was_only_closed(how: str) -> None:
    halt = HumanAct(step=HALT, who=("ned-deily",), what="It is halted.", since=SOON, done=LATER)
    for who in (("barry",), ("barry", "guido")):
        release = replace(full(), people=(halt, replace(SHUT[how], who=who)))
        text = thanks.thanks(release, PLACES, tagger="", rest=thanks.Rest())
        assert "barry" not in text
        assert "People were asked for 1 thing," in text


def test_what_was_done_in_an_earlier_attempt_counts() -> None:
    act = HumanAct(step="tag", who=("barry",), what="Cut it.", since=NOW, done=NOW + timedelta(seconds=5))
    assert "barry" in thanks.acted(replace(full(), people=(act,)), "")


def test_whoever_wanted_to_recall_is_not_thanked_for_it() -> None:
    recall = replace(full().recalls[0], by=replace(STARTER, login="barry"))
    assert "barry" not in thanks.acted(replace(full(), recalls=(recall,)), "")


def test_the_address_of_a_release_is_one_whatever_its_slug() -> None:
    assert thanks.release_page("python-3150a3") == PLACES.release_page
    odd = thanks.release_page("a|b](https://evil.example)/.. @everybody?#`<é")
    page = "https://www.python.org/downloads/release/"
    assert odd == f"{page}a%7Cb%5D%28https%3A%2F%2Fevil.example%29%2F..%20%40everybody%3F%23%60%3C%C3%A9/"
    text = thanks.thanks(full(), replace(PLACES, release_page=odd), tagger="", rest=thanks.Rest())
    assert f"| Release page | {odd} |" in text


def test_a_release_that_publishes_nothing_is_upstream() -> None:
    bare = replace(full(), past=(), people=full().people[:3], hand_work=(), deferrals=(), waivers=(), recalls=(), go=None)
    text = thanks.thanks(bare, thanks.Places(tag=PLACES.tag), tagger="", rest=thanks.Rest())
    assert "cpython 3.15.0a3 is upstream" in text
    assert "Thank you, `hugovk`!" in text
    assert "People were asked for 1 thing.\n" in text
    assert f"| Dossier | SHA-256 `{digest(bare)}` |" in text
    assert "Release page" not in text
    assert "Left for people" not in text


def test_without_an_end_no_time_is_told() -> None:
    assert "It took" not in thanks.thanks(opened(), thanks.Places(), tagger="", rest=thanks.Rest())
