"""Labels of a repository, and labels on its issues and pull requests."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.release.ids import IssueNumber, Repository
from bot.services.github import fields
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label; ``color`` is six hexadecimal digits without a mark before them."""

    name: str
    color: str
    description: fields.Text = ""


_LABEL = TypeAdapter(Label)


class Labels(TopicBase):
    """What sorts issues and pull requests. Reading needs ``issues: read``, changing ``issues: write``."""

    async def label(self, repository: Repository, name: str) -> Label | None:
        """Return a label, or None where there is none of that name. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/labels#get-a-label
        """
        scope = await self._scope(repository, Topic.LISTENING)
        return await scope.find(_LABEL, "/repos/{owner}/{repo}/labels/{label}", label=name)

    async def create_label(self, repository: Repository, label: Label) -> Label:
        """Make a label. Permission: LABELLING. Raise Refused (422) where one of that name is there.

        https://docs.github.com/en/rest/issues/labels#create-a-label
        """
        scope = await self._scope(repository, Topic.LABELLING)
        wanted = {"name": label.name, "color": label.color, "description": label.description}
        return await scope.send(_LABEL, "POST", "/repos/{owner}/{repo}/labels", wanted)

    async def add_label(self, repository: Repository, issue: IssueNumber, name: str) -> None:
        """Put a label on an issue or pull request; one that is there already stays. Permission: LABELLING.

        https://docs.github.com/en/rest/issues/labels#add-labels-to-an-issue
        """
        scope = await self._scope(repository, Topic.LABELLING)
        await scope.act("POST", "/repos/{owner}/{repo}/issues/{issue}/labels", {"labels": [name]}, issue=issue)

    async def remove_label(self, repository: Repository, issue: IssueNumber, name: str) -> None:
        """Take a label off an issue or pull request; one that is not there is fine. Permission: LABELLING.

        https://docs.github.com/en/rest/issues/labels#remove-a-label-from-an-issue
        """
        scope = await self._scope(repository, Topic.LABELLING)
        await scope.remove("/repos/{owner}/{repo}/issues/{issue}/labels/{label}", issue=issue, label=name)
