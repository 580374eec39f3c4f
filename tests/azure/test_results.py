"""What a run leaves behind: the hashes of its files, in tables as PowerShell writes them, and the name on its certificate."""

import pytest

from bot.azure.results import Unreadable, common_names, parse_hashes, subject_of
from bot.release.facts import BuiltFile

ONE, TWO = "A1" * 32, "B2" * 32
TABLES = f"""\r
Name                         SHA256{" " * 58} Length\r
----                         ------{" " * 58} ------\r
python-3.15.0a3-amd64.exe    {ONE} 30000001\r
python-3.15.0a3-embed-amd64.zip {TWO} 12\r
\r
\r
Name                         MD5                              Length\r
----                         ---                              ------\r
python-3.15.0a3-amd64.exe    {"C3" * 16} 30000001\r
python-3.15.0a3-embed-amd64.zip {"D4" * 16} 12\r
\r
"""
FILES = (
    BuiltFile(name="python-3.15.0a3-amd64.exe", sha256=ONE.lower(), size=30_000_001),
    BuiltFile(name="python-3.15.0a3-embed-amd64.zip", sha256=TWO.lower(), size=12),
)


@pytest.mark.parametrize("text", [TABLES, f"\ufeff{TABLES}", TABLES.replace("\r\n", "\n"), TABLES.replace("   ", " "), TABLES.lower()])
def test_tables_of_any_width_are_read(text: str) -> None:
    assert parse_hashes(text.replace("name ", "Name ").replace(" length", " Length")) == FILES


def test_a_table_may_lack_the_lengths() -> None:
    assert parse_hashes(f"Name SHA256\n---- ------\npython.exe {ONE}\n") == (BuiltFile(name="python.exe", sha256=ONE.lower()),)


def test_the_rehearsal_writes_what_is_read() -> None:
    from bot.rehearsal.release_files import hash_table  # noqa: PLC0415 - only this test needs the rehearsal

    files = {"python-3.15.0a3.exe": b"MZ", "python-3.15.0a3-arm64.exe": b"MZ arm"}
    told = parse_hashes(hash_table(files, "SHA256", "MD5").decode())
    assert {file.name: file.size for file in told} == {"python-3.15.0a3.exe": 2, "python-3.15.0a3-arm64.exe": 6}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no file at all"),
        ("Name SHA256 Length\n---- ------ ------\n", "lists no file at all"),
        (TABLES + "Get-FileHash : Access denied\n", "Line 13 of hashes.txt is no row"),
        (f"python.exe {ONE[:-2]}\n", "Line 1 of hashes.txt is no row"),
        (f"../python.exe {ONE}\n", "Line 1 of hashes.txt is no row"),
        (f"python.exe {'C3' * 16} 3\n", "has no SHA-256 of python.exe"),
        (f"python.exe {ONE} 3\npython.exe {TWO} 3\n", "contradicts itself about python.exe"),
        (f"python.exe {ONE} 3\npython.exe {'C3' * 16} 4\n", "contradicts itself about python.exe"),
        (f"python.exe {ONE} 3\npython.exe {'C3' * 16} 3\npython.exe {'D4' * 16} 3\n", "contradicts itself about python.exe"),
    ],
)
def test_what_is_no_table_is_not_believed(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        parse_hashes(text)


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ("CN=Python Software Foundation, O=Python Software Foundation, L=Beaverton, S=Oregon, C=US", ("Python Software Foundation",)),
        ('O="Python, Inc., CN=Python Software Foundation", CN=Somebody Else', ("Somebody Else",)),
        ('CN="Python ""Ni"" Foundation", C=US', ('Python "Ni" Foundation',)),
        ("CN=One, CN=Two", ("One", "Two")),
        ("O=Python Software Foundation", ()),
        ("OID.2.5.4.15=Private Organization, CN=Python Software Foundation", ("Python Software Foundation",)),
        ('CN="never closed', ()),
        ("Python Software Foundation", ()),
        ("", ()),
    ],
)
def test_the_name_on_a_certificate_is_taken_from_its_place(subject: str, names: tuple[str, ...]) -> None:
    assert common_names(subject) == names


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Subject": 7}', "no JSON"])
def test_what_does_not_tell_the_certificate_is_not_believed(text: str) -> None:
    with pytest.raises(Unreadable, match="not the short JSON with a Subject"):
        subject_of(text)


def test_the_certificate_is_told_in_short_json() -> None:
    assert subject_of('{"SHA256":"ab","Subject":"CN=Python Software Foundation"}\r\n') == "CN=Python Software Foundation"
