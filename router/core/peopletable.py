"""`people_from`: people out of a table, as if they were written under `people:`.

Each row becomes an entry of the client's document before that is checked, so people from a table are read,
checked and used by the same code as all others; only their place is in another file.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from router.core.reading import text_of
from router.core.remarks import RuleError, did_you_mean, words_of
from router.core.tables import Record, Tables, find_table, folder_of, records
from router.core.yamltext import Path, YamlText

COLUMNS = ("id", "name", "spoken", "extension", "numbers", "rings", "hours", "mail")
"""The columns a table may have: the keys of an entry of `people:`, and its own name."""
SEVERAL = ("numbers", "rings")
"""Columns whose cells may hold several values, with BETWEEN between them."""
MOST_COLUMNS = 50
"""A table with more is not one of people."""
BETWEEN = ";"
MOST_PEOPLE = 10_000
"""Of one client."""
MOST_NUMBERS = 3 * MOST_PEOPLE
"""Numbers and phones of all of them."""

_People = dict[str, dict[str, object]]


def with_people(text: YamlText, tables: Tables) -> YamlText:
    """A client's document with the people of its `people_from`, a table beside the document's own file.

    Not whole, with the reason, where the table cannot be used at all. Wrong rows are among the errors.
    """
    data = text.data
    own = data.get("people") or {} if isinstance(data, dict) and "people_from" in data else None
    if not isinstance(own, dict):
        return text
    try:
        name, written = find_table(text_of(data["people_from"]), tables)
    except ValueError as error:
        refusal = RuleError.of(text.mark(("people_from",)), words_of(error))
        return replace(text, errors=(*text.errors, refusal), whole=False)
    table = _Table(text, folder_of(text.file) + name, records(written))
    people = table.people()
    added: dict[Path, tuple[int, int]] = {("people", who): (line, 1) for who, line in table.lines.items()}
    return replace(
        text,
        data={**data, "people": {**own, **people}},
        values={**text.values, **added},
        files={**text.files, **dict.fromkeys(added, table.file)},
        errors=(*text.errors, *table.errors),
        whole=text.whole and table.usable,
    )


class _Table:
    """One table on its way into a document."""

    def __init__(self, text: YamlText, file: str, rows: Iterator[Record]) -> None:
        self.text = text
        self.file = file
        self.rows = rows
        self.lines: dict[str, int] = {}
        """Person -> line."""
        self.errors: list[RuleError] = []
        self.usable = False
        self.numbers = 0

    def refuse(self, line: int, what: str, instead: str) -> None:
        self.errors.append(RuleError(self.file, line, int(line > 0), what, instead))

    def people(self) -> _People:
        first = next(self.rows, None)
        if first is None:
            self.refuse(0, "this table is empty", f"name its columns in the first line: {','.join(COLUMNS)}")
            return {}
        titles = [cell.lower() for cell in first.cells]
        self.check_titles(first.line, titles)
        self.usable = not self.errors
        found: _People = {}
        for taken, row in enumerate(self.rows if self.usable else ()):
            if taken == MOST_PEOPLE:
                self.refuse(row.line, f"more than {MOST_PEOPLE} people", "make them several clients")
                break
            self.take(row, titles, found)
            if self.numbers > MOST_NUMBERS:
                what = f"more than {MOST_NUMBERS} numbers and phones"
                self.refuse(row.line, what, "make them several clients")
                self.usable = False
                break
        return found

    def check_titles(self, line: int, titles: Sequence[str]) -> None:
        if not set(titles) & set(COLUMNS):
            self.refuse(line, "the first line names no column of people", f"write {','.join(COLUMNS)}")
            return
        known = f"the columns are {', '.join(COLUMNS)}"
        if len(titles) > MOST_COLUMNS:
            self.refuse(line, f"{len(titles)} columns are not those of a table of people", known)
            return
        for at, title in enumerate(titles):
            if title not in COLUMNS:
                instead = did_you_mean(title, COLUMNS, known)
                self.refuse(line, f"`{title[:60]}` is not a column of people", instead)
            elif title in titles[:at]:
                self.refuse(line, f"column `{title}` is here twice", "name each once")
        if "id" not in titles:
            self.refuse(line, "there is no column `id`", "add it")

    def take(self, row: Record, titles: Sequence[str], found: _People) -> None:
        values = dict(zip(titles, row.cells, strict=False))
        who = values.pop("id")
        if not row.whole:
            self.refuse(row.line, "a quote here is not closed", 'write " around a value, or leave it out')
        elif len(row.cells) > len(titles):
            what = f"this row has {len(row.cells)} values, and there are {len(titles)} columns"
            self.refuse(row.line, what, 'write " around a value that has the delimiter in it')
        elif not who:
            self.refuse(row.line, "column `id`: it is empty", "give this person an id")
        elif who in self.lines or ("people", who) in self.text.values:
            place = (
                f"{self.file}:{self.lines[who]}" if who in self.lines else self.text.place(("people", who))
            )
            self.refuse(row.line, f"`{who[:60]}` is already at {place}", "give each person their own id")
        else:
            self.lines[who] = row.line
            found[who] = {key: self.value(key, cell) for key, cell in values.items() if cell}

    def value(self, column: str, cell: str) -> object:
        if column not in SEVERAL:
            return cell
        parts = [part.strip() for part in cell.split(BETWEEN) if part.strip()]
        self.numbers += len(parts)
        return parts
