"""`callrouter schema`: the rules' JSON Schema for editors, and the reference page."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from router.cli.options import FAILED
from router.core.jsonschema import DOCUMENTS, json_schema
from router.core.reference import FILE, reference_page


class Of(StrEnum):
    """The documents, by their names in DOCUMENTS."""

    CLIENT = "client"
    SHARED = "shared"
    TESTS = "tests"


def _schema_text(name: str) -> str:
    return json.dumps(json_schema(DOCUMENTS[name]), indent=1) + "\n"


def shipped() -> dict[str, str]:
    """The files that are shipped beside the rules: name -> text."""
    return {
        **{document.schema_file: _schema_text(name) for name, document in DOCUMENTS.items()},
        FILE: reference_page(),
    }


def print_schema(
    of: Annotated[Of, typer.Option("--of", help="Which kind of file.")] = Of.CLIENT,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write", help="Write all schemas, and the reference page, into this folder.", show_default=False
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", help="Write nothing; exit status 1 if they differ in this folder.", show_default=False
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a client's file, for editors that check and complete YAML."""
    if check is not None:
        _check(check)
    elif write is not None:
        _write(write)
    else:
        typer.echo(_schema_text(of), nl=False)


def _write(folder: Path) -> None:
    for name, text in shipped().items():
        try:
            (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            typer.echo(f"{folder / name}: cannot be written ({error.strerror}); name a folder", err=True)
            raise typer.Exit(FAILED) from error


def _check(folder: Path) -> None:
    differing = [name for name, text in shipped().items() if _read(folder / name) != text]
    for name in differing:
        what = f"not what this version gives; run `callrouter schema --write {folder}`"
        typer.echo(f"{folder / name}: {what}", err=True)
    if differing:
        raise typer.Exit(FAILED)


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
