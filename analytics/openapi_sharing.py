"""Makes the API document small: parts that operations repeat stand once, under `components`."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

Schema = dict[str, Any]


def with_shared_parts(document: Schema) -> Schema:
    """Returns the document with references to the parameters and problems that several operations have.

    It means the same. Without this, half of it would be the same filters and problems again and again.
    """
    parameters = Shared("parameters", named_parameters(document))
    responses = Shared("responses", named_problems(document))
    paths = {
        path: {method: shared_operation(operation, parameters, responses) for method, operation in methods.items()}
        for path, methods in document["paths"].items()
    }
    components = document["components"] | {"parameters": parameters.parts, "responses": responses.parts}
    return document | {"paths": paths, "components": components}


def operations(document: Schema) -> Iterator[Schema]:
    for methods in document["paths"].values():
        yield from methods.values()


def named_parameters(document: Schema) -> Iterator[tuple[str, Schema]]:
    for operation in operations(document):
        for parameter in operation["parameters"]:
            # The name of a component has no angle brackets, as `label.<name>` has.
            yield parameter["name"].translate({ord("<"): None, ord(">"): None}), parameter


def named_problems(document: Schema) -> Iterator[tuple[str, Schema]]:
    for operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                yield f"Problem{status}", response


class Shared:
    """The parts of one sort that occur more than once, by name."""

    def __init__(self, sort: str, named_parts: Iterator[tuple[str, Schema]]) -> None:
        self.sort = sort
        self.parts: dict[str, Schema] = {}
        self.names: dict[bytes, str] = {}
        counts = Counter((name, canonical(part)) for name, part in named_parts)
        for (name, text), count in counts.items():
            if count > 1:
                self.add(name, text)

    def add(self, name: str, text: bytes) -> None:
        """Adds a part. Another part with the same name gets a number: `operation`, `operation-2`."""
        same_name = [known for known in self.parts if known == name or known.startswith(f"{name}-")]
        unique_name = f"{name}-{len(same_name) + 1}" if same_name else name
        self.parts[unique_name] = orjson.loads(text)
        self.names[text] = unique_name

    def reference(self, part: Schema) -> Schema:
        """Returns a reference to the part, or the part itself if it occurs once."""
        name = self.names.get(canonical(part))
        return part if name is None else {"$ref": f"#/components/{self.sort}/{name}"}


def canonical(part: Schema) -> bytes:
    return orjson.dumps(part, option=orjson.OPT_SORT_KEYS)


def shared_operation(operation: Schema, parameters: Shared, responses: Shared) -> Schema:
    return operation | {
        "parameters": [parameters.reference(parameter) for parameter in operation["parameters"]],
        "responses": {status: responses.reference(response) for status, response in operation["responses"].items()},
    }
