"""Change the classic protection of branches, whoever does it and by whichever door."""

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_model import App, JsonObject, Model, Repository, User
from bot.rehearsal.github_shapes import Links
from bot.rehearsal.github_shapes_protection import ProtectionShapes

LOST = ("merge_queue", "requires_deployments", "force_pushers")
"""What a protection written by REST no longer has."""


class Protections:
    """The protection of the branches of one GitHub."""

    def __init__(self, model: Model, app: App, links: Links, chronicle: Chronicle) -> None:
        """Act on the repositories of this model."""
        self._shapes = ProtectionShapes(model, app, links)
        self._chronicle = chronicle

    def write(self, actor: User, repository: Repository, branch: str, body: JsonObject) -> None:
        """Put a protection in the place of the one there is; that it requires signatures outlives this."""
        before = repository.protection.get(branch, {}).get("required_signatures")
        signatures = isinstance(before, dict) and before.get("enabled") is True
        beyond = repository.beyond_rest.get(branch, {})
        if beyond.get("pattern", branch) != branch:
            self.misused(f"the rule of the pattern {beyond['pattern']} was written through the one branch {branch}")
        if lost := [name for name in LOST if beyond.pop(name, None)]:
            self.misused(f"the protection of {branch} lost its {', '.join(lost)}")
        repository.protection[branch] = self._shapes.whole(repository, branch, body, signatures=signatures)
        self.told(repository, branch, f"was written by {actor.login}")

    def take_off(self, actor: User, repository: Repository, branch: str) -> None:
        """Leave a branch without protection."""
        del repository.protection[branch]
        beyond = repository.beyond_rest.pop(branch, {})
        if lost := [name for name in LOST if beyond.get(name)]:
            self.misused(f"the protection of {branch} lost its {', '.join(lost)}")
        self.told(repository, branch, f"was taken off by {actor.login}")

    def sign(self, actor: User, repository: Repository, branch: str, *, enabled: bool) -> JsonObject:
        """Require signed commits on a protected branch, or require them no more."""
        shape = repository.protection[branch]["required_signatures"]
        shape = {**shape, "enabled": enabled} if isinstance(shape, dict) else {}
        repository.protection[branch] = {**repository.protection[branch], "required_signatures": shape}
        self.told(repository, branch, f"{'requires' if enabled else 'no longer requires'} signed commits, says {actor.login}")
        return shape

    def told(self, repository: Repository, branch: str, sentence: str) -> None:
        """Write into the log of the world what became of a protection; GitHub's webhook for it is not one the App asks for."""
        self._chronicle.happened(f"github: {repository.name} protection of {branch} {sentence}")

    def misused(self, sentence: str) -> None:
        """Note what would be harm or nonsense in production."""
        self._chronicle.violation(sentence)
