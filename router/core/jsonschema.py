"""The documents as JSON Schema (draft 2020-12), for editors; the reference page is written from it.

It describes a document as an editor sees it: plain YAML 1.2, where `101` and `+4722334455` are numbers which
yamltext.py takes as text. So a text may be a number wherever it can look like one. It accepts what the
readers accept, and refuses what can be told from the text alone: whether a name is somebody's is for
`callrouter check`.

Everything comes from the pydantic documents: keys, kinds and defaults from their fields, meanings from the
docstrings, values that are texts from their readers' docstrings and `LOOKS`. A new field, step or reader
needs nothing here.
"""

import re
from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.json_schema import CoreRef, GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema, to_jsonable_python

from router.core import counts, dialplanwords, lengths, numbertexts, reading, speechtexts, times
from router.core.reading import listed
from router.core.scenarios import ScenariosDoc
from router.core.schema import SHAREABLE, ClientDoc, SharedDoc
from router.core.stepdocs import STEPS
from router.core.written import Shape

ONE_STEP = "A step: its name with its value, or the name alone where it needs none."
NUMBERS = (("1.5", "number"), ("1", "integer"), ("+4722334455", "integer"))
"""Texts that YAML 1.2 reads as numbers, and JSON Schema's word for them."""

LOOKS: Mapping[Callable[..., Any], re.Pattern[str]] = {
    reader: look
    for readers in (times, counts, reading, lengths, numbertexts, speechtexts, dialplanwords)
    for reader, look in readers.LOOKS.items()
}
"""Reader -> what the texts that it takes look like, for editors. More may look like it than it takes. The
patterns are within what Python and ECMA 262 (JSON Schema) have in common."""


class Document(NamedTuple):
    """One kind of file that administrators write."""

    model: type[Shape]
    schema_file: str
    """Where its schema is shipped, beside the rules."""
    files: str
    """What its files are called."""


DOCUMENTS = {
    "client": Document(ClientDoc, "callrouter.schema.json", "NAME.yaml"),
    "shared": Document(SharedDoc, "callrouter.shared.schema.json", "shared.yaml"),
    "tests": Document(ScenariosDoc, "callrouter.test.schema.json", "NAME.test.yaml"),
}


def json_schema(document: Document) -> JsonSchemaValue:
    """The schema of one kind of file."""
    found = document.model.model_json_schema(schema_generator=_Export)
    if document.model is ClientDoc:
        found["required"] = [key for key in found["required"] if key not in SHAREABLE]
    return found


def _title(name: str) -> str:
    """A class's name in words: `RingStep` -> `Ring step`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Doc")).capitalize()


class _Text(NamedTuple):
    """A value that is a text, by its reader's docstring."""

    title: str
    description: str

    @classmethod
    def of(cls, reader: Callable[..., Any]) -> "_Text":
        said = " ".join(cleandoc(reader.__doc__ or "").partition("\n\n")[0].split())
        title, colon, description = said.partition(": ")
        if not colon:
            name = reader.__qualname__.removesuffix(".parse").rpartition(".")[2]
            title, description = name.removeprefix("read_").replace("_", " ").capitalize(), said
        return cls(title, description[:1].upper() + description[1:])


def _text_schema(reader: Callable[..., Any]) -> JsonSchemaValue:
    """What kinds of value a reader's text can be, and how it looks."""
    text, pattern = _Text.of(reader), LOOKS.get(reader)
    kinds = [kind for number, kind in NUMBERS if pattern is None or pattern.fullmatch(number)]
    return {
        **text._asdict(),
        "type": ["string", kinds[0]] if kinds else "string",
        "pattern": r"\S" if pattern is None else rf"^\s*(?:{pattern.pattern})\s*$",
        "patternErrorMessage": f"{text.title}: {text.description}",
    }


def _may_be_bare(name: str, model: type[Shape]) -> bool:
    """Whether a step's name alone is the step: its value may be nothing, and no other key must be there."""
    kind = model.model_fields[name].annotation
    others = (field for key, field in model.model_fields.items() if key != name)
    return type(None) in (kind, *get_args(kind)) and not any(field.is_required() for field in others)


class _Export(GenerateJsonSchema):
    """Where pydantic's own schema says what is read, this one says what is written."""

    def generate(
        self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation"
    ) -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        """Everything stays in the order of the documents."""
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A key is its own title."""
        return False

    def shared(self, ref: str, made: Callable[[], JsonSchemaValue]) -> JsonSchemaValue:
        """A reference to what is `made` once for the whole schema."""
        defs_ref, reference = self.get_cache_defs_ref_schema(CoreRef(ref))
        if defs_ref not in self.definitions:
            self.definitions[defs_ref] = {}
            self.definitions[defs_ref] = made()
        return reference

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        """A text, as its reader describes it."""
        function = schema["function"]["function"]
        reader = getattr(function, "__wrapped__", function)
        text = _Text.of(reader)
        return self.shared(
            f"{text.title}:{reader.__module__}.{reader.__qualname__}",
            lambda: _text_schema(reader),
        )

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """A single value stands for a list of one."""
        made = super().function_before_schema(schema)
        if schema["function"]["function"] is not listed:
            return made
        return {"anyOf": [*made["items"].get("anyOf", [made["items"]]), made]}

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """What a list must have at least is pydantic's `minLength` once a function has been at the list."""
        made = super().generate_inner(schema)
        if schema["type"] == "function-after" and "minLength" in made:
            least = made.pop("minLength")
            for form in made["anyOf"]:
                if form.get("type") == "array":
                    form["minItems"] = least
        return made

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Tags are never written. One of the unions is a step."""

        def union() -> JsonSchemaValue:
            return {"anyOf": super(_Export, self).tagged_union_schema(schema)["oneOf"]}

        if schema["choices"].keys() != {f"<{name}>" for name in STEPS}:
            return union()
        return self.shared("Step:", lambda: self.step(union()["anyOf"]))

    def step(self, mappings: list[JsonSchemaValue]) -> JsonSchemaValue:
        """A step as a mapping or, where nothing but the name is needed, as the name."""
        bare = [name for name, model in STEPS.items() if _may_be_bare(name, model)]
        return {"title": "Step", "description": ONE_STEP, "anyOf": [{"enum": bare}, *mappings]}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Keys are checked as well, and those of a closed list are offered."""
        keys, values = (self.generate_inner(schema[part]) for part in ("keys_schema", "values_schema"))
        names = self.resolve_ref_schema(keys).get("enum")
        if names is not None:
            offered = dict.fromkeys(names, values)
            made: JsonSchemaValue = {"type": "object", "properties": offered, "additionalProperties": False}
        else:
            made = {"type": "object", "propertyNames": keys, "additionalProperties": values}
        self.update_with_validations(made, schema, self.ValidationsMapping.object)
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """An example in the docstring is for editors that show Markdown."""
        made = {**super().model_schema(schema), "title": _title(schema["cls"].__name__)}
        whole = made.get("description", "")
        made["description"], example, _ = whole.partition("\n\n```")
        return {**made, "markdownDescription": whole} if example else made

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return {**super().enum_schema(schema), "title": _title(schema["cls"].__name__)}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Nothing is no default worth showing."""
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if key != "default" or value is not None}

    def encode_default(self, dft: Any) -> Any:
        """As it would be written."""
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return (
            [self.encode_default(one) for one in dft] if isinstance(dft, tuple) else to_jsonable_python(dft)
        )
