"""Whatever changes are made to a client's file: what our reader takes, the JSON Schema takes as well."""

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from router.core.dialling import Dialling
from router.core.jsonschema import DOCUMENTS, json_schema
from router.core.reading import Reading
from router.core.schema import ClientDoc
from router.core.shapes import check
from router.core.yamltext import read_yaml
from tests.properties.test_loader_fuzz import EXAMPLE, PIECES, WORDS
from tests.unit import yaml12

VALIDATOR = Draft202012Validator(json_schema(DOCUMENTS["client"]))
SINGLE = [
    "101",
    "1.5",
    "+4790000001",
    "22334455",
    "NO",
    "yes",
    "closed",
    "hangup",
    "decline",
    "anonymous",
    "~",
    "2026-12-23",
    "12-24",
    "08:00-12:00",
    "25s",
    "kari",
    "office",
    "PJSIP/1",
    "'1'",
    "mon",
    "x*",
]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_what_the_reader_takes_the_schema_takes(data: st.DataObject) -> None:
    """Words of the example are exchanged, one or two at a time: mostly that leaves it YAML, often right."""
    lines = EXAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(lines) - 1))
        words = [word for word in lines[at].replace(",", " ").split() if word in WORDS]
        old = data.draw(st.sampled_from(words or [" "]))
        new = data.draw(st.sampled_from(SINGLE) | st.sampled_from(WORDS) | PIECES)
        lines[at] = lines[at].replace(old, new, 1)
    text = "\n".join(lines)
    read = read_yaml("fjord.yaml", text)
    if read.errors or isinstance(
        check(read, ClientDoc, Reading.of(read.data, Dialling("PJSIP/{number}@trunk"))), tuple
    ):
        return
    errors = [error.message for error in VALIDATOR.iter_errors(yaml12.load(text))]
    assert errors == [], text
