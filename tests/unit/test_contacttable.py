"""Contacts as a table: what spreadsheets write is read, what is wrong is told, and nothing lost."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core import contacttable
from router.core.contacts import Entry, read_groups, read_name, read_notes
from router.core.contacttable import (
    COLUMNS,
    DELIMITERS,
    Clients,
    read_bytes,
    read_table,
    write_table,
)
from router.core.remarks import RuleError

KARI, OLA = "+4790000001", "+4790000002"
COUNTRIES = {"fjord": "NO", "lund": "SE", None: None}
CLIENTS = Clients(COUNTRIES.get, ("fjord", "lund"))


Found = tuple[tuple[Entry, ...], tuple[RuleError, ...]]


def read(text: str, client: str | None = "fjord", clients: Clients = CLIENTS) -> Found:
    found = read_table("book.csv", text, client, clients)
    return found.entries, found.errors


TABLES = [
    ("with commas", "number,name,groups\n+4790000001,Kari,vip\n", Entry(KARI, "fjord", "Kari", ("vip",))),
    (
        "with semicolons, as Excel writes in Norwegian",
        'Number;Name;Groups\r\n90 00 00 01;"Kari; N";"vip;press"\r\n',
        Entry(KARI, "fjord", "Kari; N", ("vip", "press")),
    ),
    ("a line for Excel alone", "sep=;\nnumber;name\n90000001;Kari\n", Entry(KARI, "fjord", "Kari")),
    ("tabs", "number\tname\n90000001\tKari\n", Entry(KARI, "fjord", "Kari")),
    ("a number that lost its plus", "number\n4790000001\n", Entry(KARI, "fjord")),
    ("columns in another order", "name,number\nKari,90000001\n", Entry(KARI, "fjord", "Kari")),
    ("a row cut short", "number,name,notes\n90000001\n", Entry(KARI, "fjord")),
    (
        "notes of several lines",
        'number,notes\n90000001,"one\n""two"""\n',
        Entry(KARI, "fjord", notes='one\n"two"'),
    ),
    ("a text behind an apostrophe", "number,name\n'+4790000001,'=1+1\n", Entry(KARI, "fjord", "=1+1")),
    ("an apostrophe of its own", "number,name\n90000001,'t Hof\n", Entry(KARI, "fjord", "'t Hof")),
    (
        "all columns",
        f"{','.join(COLUMNS)}\n90000001,K,vip,nb,n,fjord\n",
        Entry(KARI, "fjord", "K", ("vip",), "nb", "n"),
    ),
]


@pytest.mark.parametrize(("text", "entry"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_what_spreadsheets_write_is_read(text: str, entry: Entry) -> None:
    assert read(text) == ((entry,), ())


def test_each_row_may_name_its_client() -> None:
    text = "number,client\n90000001,fjord\n08-123 456 79,lund\n+4790000001,\n"
    found = read(text, None)
    assert found == ((Entry(KARI, "fjord"), Entry("+46812345679", "lund"), Entry(KARI)), ())


def test_the_columns_that_a_table_has_are_known() -> None:
    assert read_table("book.csv", "Name,number\nKari,90000001\n", "fjord", CLIENTS).columns == (
        "name",
        "number",
    )


def test_a_row_that_begins_as_a_remark_is_none() -> None:
    entries, errors = read("name,number\n#1 Plumbing,90000001\n")
    assert (entries, errors) == ((Entry(KARI, "fjord", "#1 Plumbing"),), ())


WRONG = [
    ("nothing", "", "book.csv: this table is empty; name its columns in the first line: number,name"),
    ("no number", "name\nKari\n", "book.csv:1:1: there is no column `number`; name the columns in"),
    ("a misspelt column", "number,nmae\n", "book.csv:1:1: `nmae` is not a column of contacts; did you mean"),
    ("a column twice", "number,name,name\n", "book.csv:1:1: column `name` is here twice; name each once"),
    ("an empty number", "number,name\n,Kari\n", "book.csv:2:1: column `number`: it is empty; write a number"),
    (
        "no number at all",
        "number\nKari\n",
        "book.csv:2:1: column `number`: `Kari` is not a phone number; write it",
    ),
    (
        "a number nowhere",
        "number\n12\n",
        "book.csv:2:1: column `number`: `+4712` has 2 digits after +47; numbers",
    ),
    (
        "a number that was shortened",
        "number\n4.79E+10\n",
        "book.csv:2:1: column `number`: `4.79E+10` is a number that a spreadsheet has shortened; format",
    ),
    (
        "a number twice",
        "number\n90000001\n\n+4790000001\n",
        "book.csv:4:1: +4790000001 is in line 2 already; name each",
    ),
    (
        "a long name",
        f"number,name\n90000001,{'x' * 81}\n",
        "book.csv:2:1: column `name`: this name has 81 char",
    ),
    (
        "a long group",
        f"number,groups\n90000001,{'x' * 41}\n",
        "book.csv:2:1: column `groups`: the name of a group",
    ),
    (
        "a language",
        "number,language\n90000001,norsk\n",
        "book.csv:2:1: column `language`: `norsk` is not a lang",
    ),
    (
        "long notes",
        f"number,notes\n90000001,{'x' * 2001}\n",
        "book.csv:2:1: column `notes`: these notes have",
    ),
    ("an open quote", 'number,name\n90000001,"Kari\n', "book.csv:2:1: a quote here is not closed; write"),
    (
        "too many values",
        "number,name\n90000001,Kari,N\n",
        "book.csv:2:1: this row has 3 values, and there are 2",
    ),
    (
        "another client",
        "number,client\n90000001,lund\n",
        "book.csv:2:1: column `client`: this is `lund`, not `fjord`",
    ),
]


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_told_at_its_line(text: str, told: str) -> None:
    entries, errors = read(text)
    assert entries == ()
    assert str(errors[0]).startswith(told)


def test_all_errors_are_told_at_once() -> None:
    entries, errors = read("number,language\n90000001,norsk\nKari,nb\n90000002,nb\n")
    assert (entries, [error.line for error in errors]) == ((), [2, 3])


def test_a_client_that_there_is_not() -> None:
    text = "number,client\n90000001,fjrd\n"
    assert "no client is called `fjrd`; did you mean `fjord`?" in str(read(text, None)[1][0])
    unknown = Clients(lambda client: "NO")
    assert read(text, None, unknown)[0] == (Entry(KARI, "fjrd"),)


def test_more_than_are_kept_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacttable, "MOST_CONTACTS", 1)
    assert str(read("number\n90000001\n90000002\n")[1][0]).startswith("book.csv:3:1: more than 1 contacts")


BYTES = [
    ("UTF-8", "number\nØ\n".encode(), "number\nØ\n"),
    ("with a mark before it", "number\nØ\n".encode("utf-8-sig"), "number\nØ\n"),
    ("UTF-16, as Excel's Unicode text", "number\nØ\n".encode("utf-16"), "number\nØ\n"),
]


@pytest.mark.parametrize(("data", "text"), [row[1:] for row in BYTES], ids=[row[0] for row in BYTES])
def test_bytes_are_read(data: bytes, text: str) -> None:
    assert read_bytes(data) == text


NO_TEXT = [
    ("of Windows", "number\nname\nØ\n".encode("cp1252"), "line 3 is not UTF-8; save it as CSV in UTF-8"),
    ("UTF-16 cut short", b"\xff\xfen", "this is no whole UTF-16"),
    ("no text", b"number\x00", "there is a NUL byte in it"),
]


@pytest.mark.parametrize(("data", "told"), [row[1:] for row in NO_TEXT], ids=[row[0] for row in NO_TEXT])
def test_what_is_no_text_is_told(data: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_bytes(data)


TEXT = st.text(max_size=60) | st.text(alphabet="'=+-@,;\"\t\n\r \uff1dx#", max_size=12)
ENTRY = st.builds(
    Entry,
    st.sampled_from([KARI, OLA, "+46812345679"]),
    st.sampled_from([None, "fjord", "lund"]),
    TEXT.map(lambda text: read_name(text[:60])),
    st.lists(TEXT.map(lambda text: text[:40]), max_size=3).map(
        lambda texts: read_groups(one[:12] for one in texts)
    ),
    st.sampled_from(["", "nb", "en-GB"]),
    TEXT.map(read_notes),
)
BOOK = st.lists(ENTRY, unique_by=lambda entry: (entry.number, entry.client), max_size=6)


@settings(deadline=None)
@given(book=BOOK, delimiter=st.sampled_from(list(DELIMITERS.values())))
def test_what_is_written_is_read_back_as_it_was(book: list[Entry], delimiter: str) -> None:
    text = "".join(write_table(book, delimiter))
    assert read(read_bytes(text.encode()), None) == (tuple(book), ())


@settings(deadline=None)
@given(book=BOOK, delimiter=st.sampled_from(list(DELIMITERS.values())))
def test_nothing_that_is_written_is_a_formula(book: list[Entry], delimiter: str) -> None:
    text = "".join(write_table(book, delimiter))
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert [row[0] for row in rows[1:]] == [entry.number for entry in book]
    for cell in (cell for row in rows for cell in row[1:]):
        assert cell[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20"), cell
