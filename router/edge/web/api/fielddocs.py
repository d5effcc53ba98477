"""What the fields of structs mean: the strings below them in the source, for whoever reads answers too."""

import ast
import inspect
import textwrap
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import inspect as kinds


@cache
def field_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Field -> its string, also of those that it has of another struct."""
    found: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if issubclass(one, msgspec.Struct) and one is not msgspec.Struct:
            (defined,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
            assert isinstance(defined, ast.ClassDef)
            found |= _documented(defined)
    return found


def _documented(defined: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, below in pairwise(defined.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = " ".join(said.split())
    return found


def structs_in(types: Iterable[Any]) -> list[type[msgspec.Struct]]:
    """All structs that those types are made of, each once."""
    found: dict[type[msgspec.Struct], None] = {}
    left: list[Any] = list(kinds.multi_type_info(types))
    while left:
        match left.pop():
            case kinds.StructType(cls=cls, fields=fields):
                if cls not in found:
                    found[cls] = None
                    left += [field.type for field in fields]
            case kinds.UnionType(types=several) | kinds.TupleType(item_types=several):
                left += several
            case kinds.ListType(item_type=one) | kinds.VarTupleType(item_type=one):
                left.append(one)
            case kinds.DictType(key_type=key, value_type=value):
                left += (key, value)
            case kinds.Metadata(type=one):
                left.append(one)
    return list(found)
