"""What a profile may say about the time after the push: what the bot tidies up, what it drafts, and what it reminds people of."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.profile.forms import BranchName, KindSlug, Pattern, RepositoryName, RepositoryPath, Url, misfit
from bot.profile.table import Table
from bot.release.version import Kind

LabelName = Annotated[str, Field(min_length=1, max_length=50)]
"""GitHub takes up to fifty characters: https://docs.github.com/en/rest/issues/labels#create-a-label."""


class Flip(Table):
    """A label that takes the place of another one after a release, on all open issues and pull requests that name its series, or none."""

    old: LabelName = Field(alias="from")
    """The label that is taken off."""
    new: LabelName = Field(alias="to")
    """The label that is put on before that."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.old.casefold() == self.new.casefold():
            sentence = f"the label {self.old} cannot take its own place: write another one"
            raise misfit(sentence, "to")
        return self


class Announce(Table):
    """The announcements that are drafted for the release manager, who posts them."""

    forum: Url
    """Where the release is announced, such as a category on Discuss."""
    blog: RepositoryName | None = None
    """The repository of the blog, which takes posts as pull requests; none is drafted when left out."""


class Schedule(Table):
    """The file that tells which release was made when, in a repository to which a pull request is made."""

    repository: RepositoryName
    """The repository; without the App there, people are given the difference instead."""
    path: RepositoryPath
    """The file, in the format of https://github.com/python/peps/blob/main/release_management/python-releases.toml."""
    pep: RepositoryPath | None = None
    """The PEP that lists the releases of a series, with `{pep}`, its number in four digits. Where its lists agreed with the file before,
    the bot makes them agree again, and people do otherwise; no PEP is touched when left out."""
    base: BranchName = "main"
    """The branch that the pull request is for."""
    merge: bool = False
    """Whether the bot merges it by itself, once it has read back that it holds nothing but what the bot wrote; people do otherwise."""

    @model_validator(mode="after")
    def _number_stands_in_the_path(self) -> Self:
        if self.pep is not None and re.findall(r"\{pep\}|[{}]", self.pep) != ["{pep}"]:
            sentence = f"{self.pep} is no path for every series: write {{pep}} once, where the number of the PEP belongs"
            raise misfit(sentence, "pep")
        return self


class NewBranch(Table):
    """What a branch gets that began with the first beta, each after the pattern of the series before it."""

    protect: bool = True
    """Whether the rules of the branch before it are copied for it; nobody's rules are changed."""
    labels: tuple[Pattern, ...] = ()
    """The labels that are made, with `{series}`; colour and description are those of the same label of the series before."""

    @model_validator(mode="after")
    def _labels_name_the_series(self) -> Self:
        for index, label in enumerate(self.labels):
            if "{series}" not in label:
                sentence = f"the label {label} would be the same for every series: write {{series}} where the series belongs"
                raise misfit(sentence, "labels", index)
        return self


class WrapUp(Table):
    """What is tidied up at the end. What is refused is left to people, and nothing of it holds a release open."""

    fork_branch: Pattern = ""
    """The branch of the manager's fork that is deleted where the App may, with `{version}`; nothing is when left out."""
    retain: bool = True
    """Whether the runs on Azure are kept for ever."""
    purge: bool = False
    """Whether the network in front of python.org is told to forget the pages and files of the release that nobody else has it forget."""
    flip: Flip | None = None
    """The label that takes the place of another one, as `{ from = "…", to = "…" }`; nothing is flipped when left out."""
    announce: Announce | None = None
    """For which places announcements are drafted; none is when left out."""
    schedule: Schedule | None = None
    """To which file of dates a pull request is made; none is when left out."""
    new_branch: NewBranch | None = None
    """What a branch gets that began with the first beta; nothing when left out."""


class Checklist(Table):
    """What is left for people after some kinds of release; a comment lists it, and the step checklist waits for it where there is one."""

    kinds: tuple[KindSlug, ...] = ()
    """The kinds of release after which it has to be done, in the words of `--as`; all of them when left out."""
    items: tuple[Annotated[Pattern, Field(min_length=1)], ...]
    """What has to be done, each in a sentence; `{version}`, `{series}` and `{next}`, the version that main becomes, are filled in."""
    with_publication: bool = False
    """Whether it is done in one sitting with the publication: the call for that holds it, and the end only where nobody was called."""

    def is_for(self, kind: Kind) -> bool:
        """Tell whether a release of this kind has it."""
        return not self.kinds or kind in self.kinds
