"""The environment is read whole, or refused with one sentence for every variable, and no secret is ever repeated."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from bot.settings import LogFormat, Settings, SettingsError, is_loopback, load_settings

SECRET = "hunter2hunter2"
MINIMUM = ("GH_APP_ID", "GH_PRIVATE_KEY", "GH_SECRET")


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


@pytest.fixture(scope="module")
def key() -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture
def environ(key: str, tmp_path: Path) -> dict[str, str]:
    return {"GH_APP_ID": "42", "GH_PRIVATE_KEY": key, "GH_SECRET": SECRET, "BOT_HOME": str(tmp_path)}


def refused(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


def test_three_variables_are_enough(environ: dict[str, str], tmp_path: Path) -> None:
    settings = load_settings(environ)
    assert settings.gh_app_id == 42
    assert [secret.get_secret_value() for secret in settings.gh_secret] == [SECRET]
    assert settings.bot_profile == ("cpython",)
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3"
    assert (settings.github_api_url, settings.github_server_url) == ("https://api.github.com", "https://github.com")
    assert (settings.port, settings.url, settings.log_format) == (8000, "http://localhost:8000", LogFormat.TEXT)


def test_everything_that_is_missing_is_named_in_a_sentence_each() -> None:
    lines = refused({}).splitlines()
    assert [line.split(" ")[0] for line in lines] == list(MINIMUM)
    assert all(" is missing, " in line and line.endswith(".") for line in lines)


def test_the_secret_of_service_hooks_may_be_two_or_none(environ: dict[str, str]) -> None:
    def known(**more: str) -> list[str]:
        return [secret.get_secret_value() for secret in load_settings(environ | more).azure_hook_secret]

    assert known() == known(AZURE_HOOK_SECRET=" ") == []
    assert known(AZURE_HOOK_SECRET="one") == ["one"]
    assert known(AZURE_HOOK_SECRET="one, other") == ["one", "other"]
    assert "one" not in repr(load_settings(environ | {"AZURE_HOOK_SECRET": "one"}).azure_hook_secret)


def test_an_empty_variable_counts_as_not_set(environ: dict[str, str]) -> None:
    assert "GH_SECRET is missing" in refused(environ | {"GH_SECRET": " "})
    assert load_settings(environ | {"DATABASE_URL": "", "DYNO": ""}).database_url is None


def test_the_process_has_no_say_beside_the_given_environment(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("GH_SECRET", "another secret")
    assert load_settings(environ).port == 8000
    assert "GH_SECRET is missing" in refused({name: value for name, value in environ.items() if name != "GH_SECRET"})


def test_lists_are_separated_by_commas(environ: dict[str, str]) -> None:
    settings = load_settings(environ | {"GH_SECRET": f"{SECRET}, {SECRET}2,", "BOT_PROFILE": "cpython, /etc/other.toml"})
    assert [secret.get_secret_value() for secret in settings.gh_secret] == [SECRET, f"{SECRET}2"]
    assert settings.bot_profile == ("cpython", "/etc/other.toml")


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_the_key_may_be_a_text_an_escaped_text_or_a_file(environ: dict[str, str], tmp_path: Path, form: PrivateFormat) -> None:
    text = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048), form)
    path = tmp_path / "key.pem"
    path.write_text(text.replace("\n", "\r\n"), encoding="ascii")
    for given in (text, text.strip(), text.replace("\n", "\\n"), str(path)):
        assert load_settings(environ | {"GH_PRIVATE_KEY": given}).gh_private_key.get_secret_value() == text


def test_what_is_no_private_key_is_refused_without_repeating_it(environ: dict[str, str], key: str, tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\x89PNG")
    body = key.splitlines()[3]
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    for given in (body, key.replace(body, ""), str(tmp_path / "picture"), str(tmp_path / "absent.pem"), curve, "\0"):
        text = refused(environ | {"GH_PRIVATE_KEY": given})
        assert text.startswith("GH_PRIVATE_KEY is ")
        assert body not in text
        assert "absent" not in text


def test_no_secret_is_ever_shown(environ: dict[str, str], key: str) -> None:
    dsn, address = "https://dsnsecret@sentry.example/1", "postgres://bot:dbsecret@db.example/bot"
    settings = load_settings(environ | {"SENTRY_DSN": dsn, "DATABASE_URL": address, "AZURE_DEVOPS_TOKEN": "azuresecret"})
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    hidden = [SECRET, "dsnsecret", "dbsecret", "azuresecret", key.splitlines()[3]]
    assert [secret for secret in hidden if secret in shown] == []


def test_no_secret_is_repeated_by_a_refusal(environ: dict[str, str]) -> None:
    wrong = {
        "GH_SECRET": ",",
        "DATABASE_URL": "mysql://bot:s3cr3t@db.example/bot",
        "PEPS_URL": "https://me:s3cr3t@peps.example",
        "GH_APP_ID": "s3cr3t",
        "LOG_FORMAT": "s3cr3t",
        "BOT_PROFILE": ",",
        "PORT": "65536",
    }
    text = refused(environ | wrong)
    assert {line.split(" ")[0] for line in text.splitlines()} == set(wrong)
    assert "s3cr3t" not in text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u:p@h:5432/n?ssl=require", "postgresql+asyncpg://u:p@h:5432/n?ssl=require"),
        ("postgresql://h/n", "postgresql+asyncpg://h/n"),
        ("postgresql+asyncpg://h/n", "postgresql+asyncpg://h/n"),
        ("sqlite:////var/lib/bot.db", "sqlite+aiosqlite:////var/lib/bot.db"),
        ("sqlite+aiosqlite:////var/lib/bot.db", "sqlite+aiosqlite:////var/lib/bot.db"),
    ],
)
def test_databases_get_the_driver_this_program_uses(environ: dict[str, str], given: str, kept: str) -> None:
    settings = load_settings(environ | {"DATABASE_URL": given})
    assert settings.database == kept
    assert settings.uses_sqlite is given.startswith("sqlite")


@pytest.mark.parametrize("given", ["sqlite://", "sqlite:///", "db.sqlite", "postgresql+psycopg://h/n"])
def test_other_databases_are_refused(environ: dict[str, str], given: str) -> None:
    assert "DATABASE_URL is not the address of a database" in refused(environ | {"DATABASE_URL": given})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.255.254", "::1", "localhost", "LOCALHOST"])
def test_this_machine_may_be_spoken_to_in_clear_text(environ: dict[str, str], host: str) -> None:
    assert is_loopback(host)
    address = f"http://[{host}]:8080/x/" if ":" in host else f"http://{host}:8080/x/"
    assert load_settings(environ | {"GITHUB_API_URL": address}).github_api_url == address.rstrip("/")


@pytest.mark.parametrize("host", ["api.github.com", "127.0.0.1.nip.io", "localhost.example", "0.0.0.0", "10.0.0.1", "[::2]", "2130706433"])  # noqa: S104 - not bound
def test_other_machines_may_not(environ: dict[str, str], host: str) -> None:
    assert "in clear text" in refused(environ | {"GITHUB_SERVER_URL": f"http://{host}"})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("github.com", "is not an address"),
        ("ftp://github.com", "is not an address"),
        ("https://", "is not an address"),
        ("https://[::1", "is not an address"),
        ("https://github.com:port", "is not an address"),
        ("https://a\\@b", "is not an address"),
        ("https://user@github.com", "a name or a password"),
        ("https://github.com/?a=b", "a query or a fragment"),
        ("https://github.com/#top", "a query or a fragment"),
    ],
)
def test_addresses_that_would_lead_astray_are_refused(environ: dict[str, str], given: str, says: str) -> None:
    assert says in refused(environ | {"BUILDBOT_URL": given})


def test_serving_on_a_disk_that_vanishes_is_refused(environ: dict[str, str]) -> None:
    load_settings(environ).refuse_to_serve()
    nowhere = {name: value for name, value in environ.items() if name != "BOT_HOME"}
    postgres = {"DATABASE_URL": "postgres://h/n"}
    load_settings(nowhere | postgres | {"DYNO": "web.1"}).refuse_to_serve()
    for lost, why in ((nowhere, "BOT_HOME was not set"), (environ | {"DYNO": "web.1"}, "dyno"), (nowhere | {"DYNO": "web.1"}, "dyno")):
        with pytest.raises(SettingsError, match=rf"SQLite is refused, because .*{why}.*set DATABASE_URL"):
            load_settings(lost).refuse_to_serve()
    with pytest.raises(SettingsError, match="SQLite is refused"):
        load_settings(environ | {"DATABASE_URL": "sqlite:////var/lib/bot.db", "DYNO": "web.1"}).refuse_to_serve()


def test_settings_cannot_be_changed(environ: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(environ).port = 1  # type: ignore[misc]  # what the types forbid, the program forbids too


def test_the_readme_names_every_variable() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in text and name != "dyno"] == []
