"""Turns the inputs and outputs that clients write into a conversation.

No client is named here. Values are read by their shape: a list of messages, an answer with `choices`, a message with
`parts`, a tool call. INPUTS and OUTPUTS list the attributes that hold such values; the first that says something
counts.
"""

import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import orjson
from pydantic_core import from_json

from traces.row import TOOL_OPERATION

Kind = Literal["text", "reasoning", "tool_call", "tool_result", "media", "json"]
Role = Literal["system", "user", "assistant", "tool"]

INPUTS = (
    *("gen_ai.input.messages", "llm.input_messages", "gen_ai.prompt", "gen_ai.request.messages"),
    *("gen_ai.tool.call.arguments", "gen_ai.tool.args", "gen_ai.tool.input", "tool_arguments", "ai.toolCall.args"),
    *("ai.prompt.messages", "ai.prompt", "mlflow.spanInputs", "mlflow.chat.messages", "langfuse.observation.input"),
    *("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args", "traceloop.entity.input", "input.value"),
    *("embedding.embeddings", "embedding.text", "llm.prompts", "ai.values", "ai.value", "request_data", "raw_input"),
    *("langfuse.trace.input", "user_prompt", "messages", "input", "prompt", "question"),
)
OUTPUTS = (
    *("gen_ai.output.messages", "llm.output_messages", "gen_ai.completion"),
    *("gen_ai.tool.call.result", "gen_ai.tool.output", "tool_response", "ai.toolCall.result"),
    *("mlflow.spanOutputs", "langfuse.observation.output", "gcp.vertex.agent.llm_response"),
    *("gcp.vertex.agent.tool_response", "traceloop.entity.output", "output.value", "response_data"),
    *("langfuse.trace.output", "final_result", "response", "output", "completion", "answer"),
)
SPLIT_OUTPUTS = {
    "ai.response.reasoning": "reasoning",
    "ai.response.text": "text",
    "ai.response.object": "text",
    "gen_ai.response.text": "text",
    "ai.response.toolCalls": "tool_calls",
    "gen_ai.response.tool_calls": "tool_calls",
}
"""Attributes that are each a part of one answer."""
MESSAGES = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "llm.input_messages",
    "llm.output_messages",
    "gen_ai.prompt",
)
"""Beginnings of the names of attributes that always hold messages."""
INSTRUCTIONS = ("gen_ai.system_instructions", "system_prompt")
WHOLE = ("pydantic_ai.all_messages", "all_messages_events", "events")
"""Attributes with the whole conversation. The last answers in them are the output."""
RAW_INPUT, RAW_OUTPUT = re.compile(r"llm\.\w+\.(messages|input)"), re.compile(r"llm\.\w+\.(choices|content)")

ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "instructions", "systemmessage"), "system"),
    **dict.fromkeys(("user", "human", "humanmessage"), "user"),
    **dict.fromkeys(("assistant", "ai", "model", "chatbot", "bot", "aimessage", "aimessagechunk"), "assistant"),
    **dict.fromkeys(("tool", "function", "ipython", "toolmessage", "tool-response"), "tool"),
}
EVENT_ROLES: dict[str, Role] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.content.prompt": "user",
}
ANSWER_EVENTS = ("gen_ai.choice", "gen_ai.content.completion")
MEDIA_TYPES = {
    **dict.fromkeys(("image", "image_url", "input_image", "image-url"), "image"),
    **dict.fromkeys(("audio", "input_audio", "audio-url"), "audio"),
    **dict.fromkeys(("file", "input_file", "document", "blob", "uri", "binary", "media", "document-url"), "file"),
    "video": "video",
}
MEDIA_KEYS = (
    "image_url",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "input_audio",
    "image",
    "file",
    "source",
)
CALL_KEYS = ("functionCall", "function_call", "toolUse", "toolCall", "tool_call")
RESULT_KEYS = ("functionResponse", "function_response", "toolResult")
LISTS_OF_MESSAGES = ("messages", "choices", "generations", "candidates", "contents", "output")
SINGLE_MESSAGES = ("message", "delta", "data", "kwargs", "response", "content")
SETTINGS = frozenset(
    (
        *("model", "tools", "temperature", "max_tokens", "stream", "instructions", "system", "encoding_format"),
        *("type", "role", "id", "object", "metadata", "dimensions", "user", "index", "vector", "embedding"),
        *("embeddings", "usage"),
    )
)
"""Fields that are no part of what was said."""
CUT = re.compile(r"…\[cut [0-9a-f]{8}\]$")
MAX_LEVELS = 12


@dataclass(frozen=True, slots=True)
class Part:
    kind: Kind
    text: str = ""
    """The text; the arguments of a tool call or the result as text or JSON; what kind of media."""
    name: str | None = None
    """The name of the tool."""
    call_id: str | None = None
    is_cut: bool = False

    @property
    def is_json(self) -> bool:
        return self.kind != "text" and self.text[:1] in "{[" and self.text[-1:] in "}]"

    @property
    def key(self) -> tuple[str, str, str]:
        """Returns what is the same in every record of the part."""
        name = self.name or "" if self.kind == "tool_call" else ""
        return self.kind, name, " ".join(self.text.split())


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class SpanContent(NamedTuple):
    inputs: list[Message]
    outputs: list[Message]


def content_of(attributes: Mapping[str, Any], operation: str, tool: str | None = None) -> SpanContent:
    """Returns what went into the span and what came out of it."""
    if operation == TOOL_OPERATION or (operation == "other" and not has_messages(attributes)):
        return tool_content(attributes, tool)
    inputs = first_of(attributes, INPUTS, "user", RAW_INPUT)
    outputs = first_of(attributes, OUTPUTS, "assistant", RAW_OUTPUT) or split_answer(attributes)
    if not inputs or not outputs:
        whole_inputs, whole_outputs = split_whole(attributes)
        inputs, outputs = inputs or whole_inputs, outputs or whole_outputs
    if not inputs or not outputs:
        event_inputs, event_outputs = content_of_events(attributes)
        inputs, outputs = inputs or event_inputs, outputs or event_outputs
    # The answers of embeddings are vectors, which say nothing to people.
    return SpanContent(with_instructions(attributes, inputs), as_answers(outputs) if operation != "embeddings" else [])


def has_messages(attributes: Mapping[str, Any]) -> bool:
    """Tells whether attributes hold messages by their name. A span of any function may have other inputs."""
    return any(
        name.startswith(MESSAGES) or RAW_INPUT.fullmatch(name) or RAW_OUTPUT.fullmatch(name) for name in attributes
    )


def as_answers(outputs: list[Message]) -> list[Message]:
    """Gives to the model what an answer says without a role of its own."""
    return [
        replace(message, role="assistant") if message.role == "user" and not holds_result(message) else message
        for message in outputs
    ]


def holds_result(message: Message) -> bool:
    return any(part.kind == "tool_result" for part in message.parts)


def first_of(attributes: Mapping[str, Any], names: Iterable[str], role: Role, raw: re.Pattern[str]) -> list[Message]:
    for name in (*names, *filter(raw.fullmatch, attributes)):
        value = attributes.get(name)
        if value is None:
            value = unflattened(attributes, f"{name}.")
        if value is not None and (messages := messages_in(value, role)):
            return messages
    return []


def with_instructions(attributes: Mapping[str, Any], inputs: list[Message]) -> list[Message]:
    if any(message.role == "system" for message in inputs):
        return inputs
    instructions = first_of(attributes, INSTRUCTIONS, "system", re.compile("$^"))
    return [*(replace(message, role="system") for message in instructions), *inputs]


def split_answer(attributes: Mapping[str, Any]) -> list[Message]:
    """Returns an answer whose text and tool calls are attributes of their own."""
    parts: list[Part] = []
    for name, kind in SPLIT_OUTPUTS.items():
        value = attributes.get(name)
        if not value:
            continue
        if kind == "tool_calls":
            parts += tool_calls_in(decoded(value))
        elif isinstance(value, str):
            parts.append(text_part(value, "reasoning" if kind == "reasoning" else "text"))
    return [Message("assistant", tuple(parts))] if parts else []


def split_whole(attributes: Mapping[str, Any]) -> tuple[list[Message], list[Message]]:
    for name in WHOLE:
        value = attributes.get(name)
        if isinstance(value, str) and (messages := messages_in(value, "user")):
            end = len(messages)
            while end and messages[end - 1].role == "assistant":
                end -= 1
            return messages[:end], messages[end:]
    return [], []


def content_of_events(attributes: Mapping[str, Any]) -> tuple[list[Message], list[Message]]:
    """Returns the messages that are events of the span, as older conventions had them."""
    inputs: list[Message] = []
    outputs: list[Message] = []
    events = attributes.get("events")
    for event in events if isinstance(events, list) else ():
        values = event.get("attributes") if isinstance(event, dict) else None
        if not isinstance(values, dict):
            continue
        name = str(event.get("name"))
        if name in ANSWER_EVENTS:
            value = values.get("message", values.get("gen_ai.completion", values))
            outputs += as_answers(messages_in(value, "assistant"))
        elif name in EVENT_ROLES:
            value = values.get("gen_ai.prompt", values)
            own = {"role": EVENT_ROLES[name]} if isinstance(value, dict) else {}
            inputs += messages_in({**value, **own} if own else value, EVENT_ROLES[name])
        elif "gen_ai.input.messages" in values or "gen_ai.output.messages" in values:
            inputs += messages_in(values.get("gen_ai.input.messages", ""), "user")
            outputs += as_answers(messages_in(values.get("gen_ai.output.messages", ""), "assistant"))
    return inputs, outputs


# --- Tools ---


def tool_content(attributes: Mapping[str, Any], tool: str | None) -> SpanContent:
    call_id = attributes.get("gen_ai.tool.call.id") or attributes.get("ai.toolCall.id")
    call_id = call_id if isinstance(call_id, str) else None
    arguments = first_value(attributes, INPUTS)
    result = first_value(attributes, OUTPUTS)
    if arguments is None and result is None:
        arguments, result = tool_values_of_events(attributes)
    called = Part("tool_call", as_text(plain_arguments(decoded(arguments))), tool, call_id)
    inputs = [Message("assistant", (called,))] if arguments is not None else []
    outputs = [] if result is None else [Message("tool", (result_part(decoded(result), tool, call_id),))]
    return SpanContent(inputs, outputs)


def first_value(attributes: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def tool_values_of_events(attributes: Mapping[str, Any]) -> tuple[Any, Any]:
    arguments = result = None
    events = attributes.get("events")
    for event in events if isinstance(events, list) else ():
        values = event.get("attributes") if isinstance(event, dict) else None
        if isinstance(values, dict) and event.get("name") == "gen_ai.tool.message":
            arguments = values.get("content")
        if isinstance(values, dict) and event.get("name") == "gen_ai.choice":
            result = values.get("message")
    return arguments, result


def plain_arguments(value: Any) -> Any:
    """Returns the arguments of a Python function by their names, where it has only such."""
    if isinstance(value, dict) and value.keys() <= {"args", "kwargs"}:
        args, kwargs = value.get("args"), value.get("kwargs")
        return value if args and kwargs else args or kwargs or {}
    return value


def result_part(value: Any, tool: str | None, call_id: str | None) -> Part:
    """Returns the result of a tool. Frameworks wrap it in a message of their own."""
    for _ in range(3):
        inner = value.get("kwargs", value.get("data")) if isinstance(value, dict) and is_wrapped(value) else None
        value = inner if isinstance(inner, dict) else value
        if not (isinstance(value, dict) and "content" in value and value.keys() & {"tool_call_id", "toolUseId"}):
            break
        tool, call_id = tool or text_or_none(value.get("name")), call_id or text_or_none(value.get("tool_call_id"))
        value = value["content"]
    return Part("tool_result", result_text(value), tool, call_id)


def result_text(value: Any) -> str:
    """Returns the texts of a result that is a list of parts, else its JSON."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        texts = [
            item.get("text", item.get("content")) for item in value if item.keys() - {"type"} <= {"text", "content"}
        ]
        if len(texts) == len(value) and all(isinstance(text, str) for text in texts):
            return "\n".join(texts)
    return as_text(value)


# --- Values of any shape ---


def messages_in(value: Any, role: Role, levels: int = MAX_LEVELS) -> list[Message]:
    """Returns the messages in a value. What has no known shape becomes one message with JSON."""
    if levels == 0:
        return [Message(role, (json_part(value),))]
    if isinstance(value, str):
        return messages_in_text(value, role, levels)
    if isinstance(value, list):
        return messages_in_list(value, role, levels)
    if isinstance(value, dict):
        return messages_in_object(value, role, levels)
    return [] if value is None else [Message(role, (text_part(str(value)),))]


def messages_in_text(text: str, role: Role, levels: int) -> list[Message]:
    value = decoded(text)
    if not isinstance(value, str):
        found = messages_in(value, role, levels - 1)
        return with_cut_mark(found) if CUT.search(text) else found
    return [Message(role, (text_part(value),))] if value and value not in ("null", "None") else []


def with_cut_mark(messages: list[Message]) -> list[Message]:
    """Marks the last part: the text was cut when it was stored."""
    if not messages or not messages[-1].parts:
        return messages
    last = messages[-1]
    return [*messages[:-1], replace(last, parts=(*last.parts[:-1], replace(last.parts[-1], is_cut=True)))]


def messages_in_list(values: Sequence[Any], role: Role, levels: int) -> list[Message]:
    if all(isinstance(value, dict) and is_part(value) for value in values):
        said = [(role_of_part(part, role), part) for part in parts_in(values, levels)]
        grouped = groupby(said, key=itemgetter(0))
        return [Message(one, tuple(part for _, part in parts)) for one, parts in grouped]
    if values and not any(isinstance(value, (str, list, dict)) for value in values):
        return [Message(role, (json_part(values),))]
    return [message for value in values for message in messages_in(value, role, levels - 1)]


def role_of_part(part: Part, role: Role) -> Role:
    """Returns who says a part that is in no message: tools are called by the model, and answer themselves."""
    return "assistant" if part.kind == "tool_call" else "tool" if part.kind == "tool_result" else role


def messages_in_object(value: Mapping[str, Any], role: Role, levels: int) -> list[Message]:
    if is_wrapped(value):
        inner = value.get("kwargs", value.get("data"))
        return messages_in({"type": message_type(value)} | inner, role, levels - 1) if isinstance(inner, dict) else []
    if is_message(value):
        return [message] if (message := message_of(value, role, levels)).parts else []
    if {"args", "kwargs"} == value.keys():
        arguments = plain_arguments(value)
        return messages_in(arguments, role, levels - 1) if arguments else []
    listed = [name for name in LISTS_OF_MESSAGES if isinstance(value.get(name), (list, str)) and value[name]]
    if listed:
        found = [message for name in listed[:1] for message in messages_in(value[name], role, levels - 1)]
        return [*instructions_in(value, levels), *found]
    for name in SINGLE_MESSAGES:
        inner = value.get(name)
        if isinstance(inner, dict) and (is_wrapped(inner) or is_message(inner) or value.keys() == {name}):
            return messages_in(inner, role, levels - 1)
    return plain_object(value, role, levels)


def plain_object(value: Mapping[str, Any], role: Role, levels: int) -> list[Message]:
    """Returns the one thing that the object says, like its prompt; else the object as JSON."""
    for name in ("input", "prompt", "query", "question", "content", "text", "completion", "answer"):
        if isinstance(value.get(name), (str, list, dict)) and value[name] and has_only_settings(value, name):
            return [*instructions_in(value, levels), *messages_in(value[name], role, levels - 1)]
    if is_part(value):
        return [Message(role, tuple(parts_in([value], levels)))]
    return [] if value.keys() <= SETTINGS else [Message(role, (json_part(value),))]


def has_only_settings(value: Mapping[str, Any], name: str) -> bool:
    """Tells whether all other fields are settings of the request, which are no part of the conversation."""
    return value.keys() - {name} <= SETTINGS


def instructions_in(value: Mapping[str, Any], levels: int) -> list[Message]:
    for name in ("system", "instructions", "systemInstruction", "system_instruction"):
        if value.get(name) and isinstance(value[name], (str, list, dict)):
            found = messages_in(value[name], "system", levels - 1)
            return [replace(message, role="system") for message in found]
    config = value.get("config")
    return instructions_in(config, levels - 1) if isinstance(config, dict) and levels > 1 else []


# --- Messages ---


def is_wrapped(value: Mapping[str, Any]) -> bool:
    """Tells whether the object is a message in the envelope of a framework."""
    return (value.get("lc") == 1 and isinstance(value.get("kwargs"), dict)) or (
        str(value.get("type", "")).lower() in ROLES and isinstance(value.get("data"), dict)
    )


def message_type(value: Mapping[str, Any]) -> str:
    names = value.get("id") if value.get("lc") == 1 else None
    return str(names[-1]) if isinstance(names, list) and names else str(value.get("type", ""))


def role_of(value: Mapping[str, Any]) -> Role | None:
    for name in ("role", "type", "message_type"):
        if isinstance(value.get(name), str) and (role := ROLES.get(value[name].lower().removeprefix("messagerole."))):
            return role
    return None


def is_message(value: Mapping[str, Any]) -> bool:
    """Tells whether the object is a message. Some have no role, like Gemini's or a choice of a stream."""
    return role_of(value) is not None or isinstance(value.get("parts"), list) or "tool_calls" in value


def message_of(value: Mapping[str, Any], role: Role, levels: int) -> Message:
    role = role_of(value) or role
    content = value.get("parts") or value.get("content")
    if not content:
        content = value.get("contents") or value.get("text") or value.get("refusal")
    if isinstance(found := decoded(content), list) and all(isinstance(item, dict) and is_part(item) for item in found):
        content = found  # the parts as text
    call_id = text_or_none(value.get("tool_call_id") or value.get("toolCallId"))
    name = text_or_none(value.get("name"))
    parts: list[Part] = []
    if value.get("reasoning_content"):
        parts.append(text_part(as_text(value["reasoning_content"]), "reasoning"))
    if role == "tool" and not holds_result_parts(content):
        parts.append(result_part(decoded(content), name, call_id))
    else:
        parts += parts_in(content if isinstance(content, list) else [content], levels)
    parts += tool_calls_in(decoded(value.get("tool_calls")))
    for key in CALL_KEYS:
        if isinstance(value.get(key), dict):
            parts += tool_calls_in([value[key]])
    distinct = tuple(without_repetitions(parts))
    return Message("tool" if role == "user" and holds_results_only(distinct) else role, distinct, name)


def holds_result_parts(content: Any) -> bool:
    return isinstance(content, list) and any(isinstance(item, dict) and is_result(item) for item in content)


def holds_results_only(parts: Sequence[Part]) -> bool:
    return bool(parts) and all(part.kind == "tool_result" for part in parts)


def without_repetitions(parts: Iterable[Part]) -> Iterator[Part]:
    """Leaves out tool calls that the message names twice: among its parts, and in a list of their own."""
    seen: set[tuple[str | None, str | None]] = set()
    for part in parts:
        identity = (part.call_id, part.name if part.call_id else f"{part.name} {part.text}")
        if part.kind == "tool_call" and identity in seen:
            continue
        if part.kind == "tool_call":
            seen.add(identity)
        yield part


# --- Parts of messages ---


def is_part(value: Mapping[str, Any]) -> bool:
    kind = str(value.get("type", ""))
    if role_of(value) is not None or value.get("lc") == 1 or kind == "message":
        return False
    return (
        kind in ("text", "input_text", "output_text", "summary_text", "reasoning", "thinking", "refusal")
        or kind in MEDIA_TYPES
        or is_call(value)
        or is_result(value)
        or "message_content" in value
        or value.keys() <= {"text"}
        or any(isinstance(value.get(key), dict) for key in MEDIA_KEYS[:5])
    )


def is_call(value: Mapping[str, Any]) -> bool:
    kind = str(value.get("type", ""))
    return (
        kind in ("tool_call", "tool-call", "tool_use", "function_call", "server_tool_use")
        or (kind == "function" and isinstance(value.get("function"), dict) and "arguments" in value["function"])
        or any(isinstance(value.get(key), dict) for key in CALL_KEYS)
    )


def is_result(value: Mapping[str, Any]) -> bool:
    kind = str(value.get("type", ""))
    return (
        kind in ("tool_call_response", "tool_result", "tool-result", "function_call_output", "tool_response")
        or kind.endswith("_tool_result")
        or any(isinstance(value.get(key), dict) for key in RESULT_KEYS)
    )


def parts_in(values: Iterable[Any], levels: int) -> Iterator[Part]:
    for value in values:
        if isinstance(value, str):
            if value:
                yield text_part(value)
        elif isinstance(value, dict):
            yield from parts_of(value, levels)
        elif isinstance(value, list) and levels:
            yield from parts_in(value, levels - 1)
        elif value is not None:
            yield text_part(str(value))


def parts_of(value: Mapping[str, Any], levels: int) -> Iterator[Part]:
    kind = str(value.get("type", ""))
    if is_call(value):
        yield from tool_calls_in([value])
    elif isinstance(value.get("message_content"), dict) and levels:
        yield from parts_of(value["message_content"], levels - 1)
    elif is_result(value):
        yield result_of(value)
    elif kind in ("reasoning", "thinking"):
        yield from reasoning_of(value)
    elif kind in MEDIA_TYPES or any(isinstance(value.get(key), (dict, str)) and value[key] for key in MEDIA_KEYS):
        yield media_of(value, MEDIA_TYPES.get(kind, "file"))
    elif isinstance(text := value.get("text", value.get("content", value.get("refusal"))), str):
        if text:
            yield text_part(text)
    else:
        yield json_part(value)


def reasoning_of(value: Mapping[str, Any]) -> Iterator[Part]:
    text = next(
        (value[name] for name in ("thinking", "text", "content", "reasoning", "summary") if value.get(name)), ""
    )
    texts = text if isinstance(text, list) else [text]
    said = "\n".join(item.get("text", "") if isinstance(item, dict) else str(item) for item in texts)
    if said:
        yield text_part(said, "reasoning")


def result_of(value: Mapping[str, Any]) -> Part:
    inner = next((value[key] for key in RESULT_KEYS if isinstance(value.get(key), dict)), value)
    ids = ("id", "tool_use_id", "tool_call_id", "toolCallId", "toolUseId", "call_id")
    call_id = next((text_or_none(inner[name]) for name in ids if inner.get(name)), None)
    name = text_or_none(inner.get("name") or inner.get("toolName"))
    results = ("response", "result", "output", "content")
    result = next((inner[key] for key in results if inner.get(key) is not None), None)
    if isinstance(result, dict) and result.keys() == {"type", "value"}:
        result = result["value"]
    return Part("tool_result", result_text(decoded(result)), name, call_id)


def tool_calls_in(values: Any) -> Iterator[Part]:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, dict):
            yield tool_call_of(value)


def tool_call_of(value: Mapping[str, Any]) -> Part:
    outer: Mapping[str, Any] = value
    for key in CALL_KEYS:
        if isinstance(value.get(key), dict):
            outer = value = value[key]
    function = value.get("function")
    inner: Mapping[str, Any] = function if isinstance(function, dict) else value
    name = text_or_none(inner.get("name") or inner.get("toolName") or inner.get("tool_name"))
    call_id = next(
        (
            text_or_none(outer[name])
            for name in ("call_id", "id", "toolCallId", "toolUseId", "tool_call_id")
            if outer.get(name)
        ),
        None,
    )
    arguments = next((inner[key] for key in ("arguments", "args", "input") if inner.get(key) is not None), None)
    return Part("tool_call", as_text(plain_arguments(decoded(arguments))), name, call_id)


def media_of(value: Mapping[str, Any], kind: str) -> Part:
    """Returns a placeholder. The page never loads what the client names."""
    inner: Any = value
    for key in (*MEDIA_KEYS, "url"):
        if isinstance(inner, dict) and isinstance(inner.get(key), (dict, str)):
            inner = inner[key]
    source: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    types = ("mime_type", "mimeType", "media_type", "mediaType", "format")
    mime = next((str(one[name]) for one in (source, value) for name in types if one.get(name)), "")
    data = inner if isinstance(inner, str) else source.get("data", value.get("data", value.get("content")))
    if kind == "file" and mime.partition("/")[0] in ("image", "audio", "video"):
        kind = mime.partition("/")[0]
    return Part("media", ", ".join(filter(None, (kind, mime, media_size(data)))))


def media_size(data: Any) -> str:
    """Returns the size of data in base64, or the address of what is stored elsewhere."""
    if not isinstance(data, str):
        return ""
    if data.startswith("data:"):
        mime, _, data = data.removeprefix("data:").partition(",")
        return f"{mime.partition(';')[0]}, {len(data) * 3 // 4:,} bytes"
    is_address = re.match(r"[a-z][a-z0-9+.-]*://", data) is not None
    return data[:200] if is_address else f"{len(data) * 3 // 4:,} bytes"


# --- Texts and JSON ---


def text_part(text: str, kind: Kind = "text") -> Part:
    return Part(kind, CUT.sub("", text), is_cut=CUT.search(text) is not None)


def json_part(value: Any) -> Part:
    return Part("json", as_text(value))


def as_text(value: Any) -> str:
    """Returns a text as it is, and other values as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value, default=str).decode()


def text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def decoded(value: Any) -> Any:
    """Returns the value of a text with JSON or a Python literal, even if its end was cut off; else the value."""
    if not isinstance(value, str) or not value.startswith(("{", "[", '"')):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        pass
    if CUT.search(value):
        return decoded_in_part(CUT.sub("", value))
    try:
        literal = literal_eval(value) if value[0] in "{[" else value
        return literal if isinstance(literal, (dict, list)) else value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def decoded_in_part(text: str) -> Any:
    try:
        found = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return text
    return found if found or isinstance(found, str) else text


def unflattened(attributes: Mapping[str, Any], prefix: str) -> Any:
    """Returns the list that attributes like `llm.input_messages.0.message.role` spell out, or None."""
    tree: dict[str, Any] = {}
    for name, value in attributes.items():
        if name.startswith(prefix):
            node = tree
            *path, last = name.removeprefix(prefix).split(".")
            for step in path:
                inner = node.setdefault(step, {})
                node = inner if isinstance(inner, dict) else {}
            node[last] = value
    found = listed(tree)
    return found if isinstance(found, list) else None


def listed(node: Any) -> Any:
    """Replaces objects whose keys are numbers by lists, and drops the names of single things, like `message`."""
    if not isinstance(node, dict):
        return node
    if node and all(key.isdecimal() for key in node):
        return [listed(node[key]) for key in sorted(node, key=int)]
    inner = {key: listed(value) for key, value in node.items()}
    return inner["message"] if inner.keys() == {"message"} else inner
