"""The environment the bot runs in (https://12factor.net/config): typed, checked as a whole at the start, its secrets never shown."""

import ipaddress
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import UserError

DEFAULT_HOME: Final = Path("~/.brother-maynard")
_LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class SettingsError(UserError):
    """The environment is not fit to run in; each line of the text is one sentence about one variable."""


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def wrong(sentence: str) -> PydanticCustomError:
    """Return the error of one variable; the sentence goes on after its name and must not repeat a secret."""
    return PydanticCustomError("wrong", "{sentence}", {"sentence": sentence})


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine itself: 127.0.0.0/8, ``::1`` or ``localhost``."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return any(address in network for network in _LOOPBACK)


def _address(value: str) -> str:
    """Accept https anywhere and http on this machine only, without what would send a request elsewhere; cut the last slash off."""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        sentence = "is not an address: write it like https://api.github.com"
        raise wrong(sentence) from None
    if parts.scheme not in ("https", "http") or not host or re.search(r"[\s\\]", value):
        sentence = "is not an address: write it like https://api.github.com"
    elif parts.username is not None or parts.password is not None:
        sentence = "holds a name or a password, which would reach logs: leave it out and use the variable for the credential"
    elif parts.query or parts.fragment:
        sentence = "has a query or a fragment, to which no path can be added: end the address before it"
    elif parts.scheme == "http" and not is_loopback(host):
        sentence = f"would send secrets in clear text to {host}: write https (http is for this machine only)"
    else:
        return value.rstrip("/")
    raise wrong(sentence)


def _separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _hook_secrets(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not value:
        sentence = "is empty: write the webhook secret of the App, or several separated by commas while one replaces another"
        raise wrong(sentence)
    return value


def _private_key(value: object) -> object:
    """Return the PEM text itself, from a text (line ends may be written as backslash and n) or from the file it names."""
    if not isinstance(value, str):
        return value
    text = value if "-----BEGIN" in value else _file_text(value)
    text = text.replace("\\n", "\n").replace("\r\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        sentence = "is not an RSA private key in PEM form: write the text or the path of the .pem file that GitHub gave for the App"
        raise wrong(sentence)
    return text


def _file_text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError, RuntimeError):
        # The value may be a mangled key, so neither it nor the system's message about it is shown.
        sentence = "is neither a private key in PEM form nor the path of a readable file with one: write either"
        raise wrong(sentence) from None


def _database(value: SecretStr) -> SecretStr:
    """Give the address the driver this program uses (https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls)."""
    text = value.get_secret_value()
    for scheme in ("postgres://", "postgresql://", "postgresql+asyncpg://"):
        if text.startswith(scheme):
            return SecretStr(f"postgresql+asyncpg://{text.removeprefix(scheme)}")
    for scheme in ("sqlite:///", "sqlite+aiosqlite:///"):
        if text.startswith(scheme) and len(text) > len(scheme):
            return SecretStr(f"sqlite+aiosqlite:///{text.removeprefix(scheme)}")
    sentence = "is not the address of a database this bot can use: write postgres://USER:PASSWORD@HOST/NAME or sqlite:////absolute/path"
    raise wrong(sentence)


Address = Annotated[str, AfterValidator(_address)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated), Field(min_length=1)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_separated), AfterValidator(_hook_secrets)]
PrivateKey = Annotated[SecretStr, BeforeValidator(_private_key)]
DatabaseAddress = Annotated[SecretStr, AfterValidator(_database)]


class Settings(BaseSettings):
    """Every environment variable the bot reads, under its own name in small letters. Get one from `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    gh_app_id: Annotated[int, Field(gt=0)]
    """The number of the GitHub App."""
    gh_private_key: PrivateKey
    """The private key of the App: the PEM text (line ends may be written `\\n`) or the path of its file."""
    gh_secret: Secrets
    """The webhook secret of the App; several, separated by commas, while one replaces another."""
    bot_profile: Names = ("cpython",)
    """The profiles to serve: names of shipped ones or paths, separated by commas."""
    bot_home: Path = DEFAULT_HOME
    """A folder for caches and, without `DATABASE_URL`, for the database."""
    bot_url: Address | None = None
    """The public address of the bot, for links; `http://localhost:PORT` when left out."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 takes any free one."""
    database_url: DatabaseAddress | None = None
    """The database: `postgres://…`, or `sqlite:////path`; without it SQLite in `BOT_HOME`."""
    dyno: str = ""
    """Set by Heroku; the bot then refuses SQLite, because the disk would vanish."""
    log_format: LogFormat = LogFormat.TEXT
    """`text` for people, `json` for machines."""
    sentry_dsn: SecretStr | None = None
    """Where errors are reported; nowhere when left out."""

    github_api_url: Address = "https://api.github.com"
    """The API of GitHub."""
    github_server_url: Address = "https://github.com"
    """GitHub itself; git goes to `GITHUB_SERVER_URL/OWNER/REPOSITORY.git`."""
    buildbot_url: Address = "https://buildbot.python.org/all"
    """The buildbots."""
    peps_url: Address = "https://peps.python.org"
    """The release-cycle data."""

    azure_devops_url: Address | None = None
    """The Azure DevOps organisation, such as `https://dev.azure.com/Python`; needed where a profile builds there."""
    azure_devops_token: SecretStr | None = None
    """A personal access token for it, with the scope *Build (read & execute)*."""
    azure_tenant_id: str | None = None
    """The Entra tenant, in place of a token; not read yet."""
    azure_client_id: str | None = None
    """The Entra client; not read yet."""
    azure_client_secret: SecretStr | None = None
    """Its secret; not read yet."""
    azure_hook_secret: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_separated)] = ()
    """The password of the service hooks of Azure DevOps; several, separated by commas, while one replaces another. Without one
    `POST /webhook/azure` takes nothing."""
    python_org_url: Address = "https://www.python.org"
    """The site releases are published on."""
    docs_url: Address = "https://docs.python.org"
    """The documentation; not read yet."""
    nuget_url: Address = "https://api.nuget.org"
    """The NuGet registry, where packages for Windows have to be seen."""
    pypi_url: Address = "https://pypi.org"
    """The Python Package Index, where packages have to be seen."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take nothing but what `load_settings` hands over, so that one environment is read once."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def url(self) -> str:
        """Return the public address of the bot."""
        return self.bot_url or f"http://localhost:{self.port}"

    @property
    def home(self) -> Path:
        """Return ``BOT_HOME`` as an absolute path."""
        return self.bot_home.expanduser().absolute()

    @property
    def home_is_explicit(self) -> bool:
        """Tell whether somebody chose ``BOT_HOME``."""
        return "bot_home" in self.model_fields_set

    @property
    def database(self) -> str:
        """Return the address of the database as SQLAlchemy takes it. It may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.home / 'bot.sqlite3'}"

    @property
    def uses_sqlite(self) -> bool:
        """Tell whether the database is a file on this machine's disk."""
        return self.database.startswith("sqlite")

    def refuse_without_azure(self, profile: str) -> None:
        """Raise SettingsError where a profile builds on Azure and nobody said where that is."""
        missing = [name for name in ("azure_devops_url", "azure_devops_token") if getattr(self, name) is None]
        if missing:
            names = " and ".join(name.upper() for name in missing)
            raise SettingsError(f"{names} must be set, because the profile {profile} builds on Azure: set it, or take its steps out.")

    def refuse_to_serve(self) -> None:
        """Raise SettingsError where releases would be lost with the disk: on Heroku, or in a folder nobody chose."""
        if self.uses_sqlite and (self.dyno or not self.home_is_explicit):
            why = "this dyno's disk vanishes with every restart" if self.dyno else "BOT_HOME was not set, so nobody said where it may lie"
            message = (
                f"DATABASE_URL does not name a PostgreSQL database and SQLite is refused, because {why}: set DATABASE_URL to postgres://…"
            )
            message += "." if self.dyno else ", or BOT_HOME to a folder that lasts."
            raise SettingsError(message)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raise SettingsError naming every variable that is missing or wrong. An empty variable counts as not set."""
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items() if value.strip()}
    try:
        return Settings(**source())
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    raise SettingsError("\n".join(_sentence(detail) for detail in details))


def _sentence(detail: ErrorDetails) -> str:
    """Tell one mistake without the value, which may be a secret."""
    field = str(detail["loc"][0])
    match detail["type"]:
        case "missing":
            description = (Settings.model_fields[field].description or "").rstrip(".")
            return f"{field.upper()} is missing, without which the bot cannot work: {description[0].lower()}{description[1:]}."
        case "wrong":
            return f"{field.upper()} {detail['ctx']['sentence']}."
        case _:
            return f"{field.upper()} is wrong: {detail['msg'].replace('Input', 'it', 1)}."
