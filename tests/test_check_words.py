"""What check runs say: everything that was found is there, and nothing that outsiders wrote acts."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot import state
from bot.release import plan
from bot.release.facts import Checked, Finding, Place, Severity, Signed
from bot.release.gate import findings_digest, plan_digest
from bot.release.ids import CommentId
from bot.release.model import Approval, Release, StepState
from bot.release.signature import authenticated
from bot.services.github.shapes_checks import AnnotationLevel
from bot.words import checks
from tests.release_builders import NOW, STARTER, a_tag, audited, to_be_waived, until
from tests.test_words_are_harmless import PIECES, harmless


def found(severity: Severity, *places: Place, rule: str = "no-rule", subject: tuple[str, ...] = ("Lib/x.py",)) -> Finding:
    what = "The file `Lib/x.py` is not expected."
    return Finding(check="audit", rule=rule, severity=severity, what=what, count=len(subject), subject=subject, places=places)


def place(line: int = 3, path: str = "Lib/x.py", message: str = "It differs.") -> Place:
    return Place(path=path, line=line, last=line + 1, message=message)


def after_audit(*findings: Finding) -> tuple[Release, StepState]:
    """Return a release whose audit found this, and the step of the audit."""
    tag = a_tag()
    release = plan.apply(until("audit"), "audit", audited(tag, *findings), NOW)
    return release, release.step("audit")


def test_what_is_open_and_what_is_explained_stand_apart_with_rule_number_and_proof() -> None:
    release, step = after_audit(
        found(Severity.WAIVER, place()), found(Severity.EXPLAINED, rule="next-directive", subject=("Doc/a.rst", "Doc/b.rst"))
    )
    summary = checks.summary(release, step)
    open_ones, _, explained = summary.partition("**What is explained**")
    assert "| waiver only | `no-rule` | 1 | The file `Lib/x.py` is not expected. |" in open_ones
    assert "1 places are annotated in the files." in open_ones
    assert "| `next-directive` | 2 | nothing differs but version directives, where `next` became this version |" in explained
    text = checks.text(release, step)
    assert text.index("`Lib/x.py`") < text.index("`Doc/a.rst`") < text.index("`Doc/b.rst`")


def test_annotations_are_the_gravest_first_and_none_is_of_what_is_explained() -> None:
    release, step = after_audit(
        found(Severity.WAIVER, place(1)), found(Severity.ACKNOWLEDGE, place(7)), found(Severity.EXPLAINED, place(9), rule="readme")
    )
    told = checks.annotations(release, step)
    assert [(one.first, one.last, one.level) for one in told] == [(1, 2, AnnotationLevel.FAILURE), (7, 8, AnnotationLevel.WARNING)]
    assert told[0].title == "audit, no-rule: waiver only"


def test_more_than_anybody_reads_is_counted() -> None:
    release, step = after_audit(found(Severity.WAIVER, *(place(line) for line in range(1, 200))))
    assert len(checks.annotations(release, step)) == checks.MOST_ANNOTATIONS
    assert "150 places are annotated in the files. 49 more are left out." in checks.summary(release, step)


@given(PIECES, st.text(max_size=30))
def test_nothing_acts_whatever_files_are_called(pieces: list[str], noise: str) -> None:
    hostile = "x" + "".join(pieces) + noise
    finding = found(Severity.WAIVER, place(path=hostile, message=hostile), rule=hostile, subject=(hostile,))
    release, step = after_audit(replace(finding, what=f"The file {hostile} is not expected."))
    step = replace(step, why=hostile, diagnostics=(hostile,), say="")
    for source in (checks.summary(release, step), checks.text(release, step)):
        harmless("\n".join(line for line in source.split("\n") if not line.startswith(("**", "- [", "- tag"))))
        assert len(source.encode()) <= 65_535 * 4
    [annotation] = checks.annotations(release, step)
    assert annotation.path.isprintable()
    assert "\n" not in annotation.message


def test_places_survive_being_stored_and_a_state_from_before_there_were_any_loads() -> None:
    release, _ = after_audit(found(Severity.WAIVER, place()), found(Severity.EXPLAINED))
    assert state.load(state.dump(release)) == release
    bare, _ = after_audit(found(Severity.WAIVER))
    old = state.dump(bare).replace(',"places":[]', "")
    assert "places" not in old
    assert state.load(old) == bare


def test_a_digest_from_before_there_were_places_still_names_its_findings() -> None:
    checked = Checked(step="preflight", subject="c" * 40, findings=(to_be_waived(),))
    assert findings_digest(checked, checked.findings) == "6d0ab9f487d5"
    one, other = found(Severity.WAIVER, place(1)), found(Severity.WAIVER, place(2))
    assert findings_digest(checked, [one]) != findings_digest(checked, [other])


# --- by what a tag is authenticated


def proved(signature: Signed, signer: str = "") -> Release:
    release, _ = after_audit()
    assert release.tag
    return replace(release, tag=replace(release.tag, signature=signature, signer=signer))


def approved(release: Release, digest: str) -> Release:
    assert release.tag
    approval = Approval(by=STARTER, tag=release.tag.object, plan=digest, at=NOW, comment=CommentId(1))
    return replace(release, approvals=(approval,))


def test_who_vouches_for_a_tag_is_told_the_same_way_everywhere() -> None:
    assert str(authenticated(until("tag"))) == "not proved"
    assert str(authenticated(replace(until("audit"), tag=a_tag()))) == "not proved"
    assert str(authenticated(proved(Signed.SSH, "hugovk"))) == "ssh by hugovk"
    unsigned = proved(Signed.UNSIGNED)
    assert str(authenticated(unsigned)) == "unsigned: to be authenticated by the typed SHA of hugovk or pablogsal"
    assert unsigned.tag
    right = plan_digest(unsigned.tag.object, unsigned.plan)
    assert str(authenticated(approved(unsigned, right))) == "unsigned: authenticated by the typed SHA of hugovk"
    assert "to be authenticated" in str(authenticated(approved(unsigned, "0" * 12)))
    summary = checks.summary(approved(unsigned, right), unsigned.step("approve"))
    assert "- tag: unsigned: authenticated by the typed SHA of `hugovk`" in summary
