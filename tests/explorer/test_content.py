"""Each shape in which clients write inputs and outputs is read as messages. The captures have those of real clients."""

import json
from typing import Any

import pytest

from explorer.content import Part, content_of

TOOL = "get_weather"
ODD_TEXTS = ("", "null", "{", "[[[", "[1, 2]", '{"a": NaN}', "[" * 5000, "{'a': __import__('os')}")
ODD_VALUES = (None, 1, True, [], {}, [None, 1, [2]], {"messages": 3}, {"role": 7, "content": {"a": 1}})


def said(attributes: dict[str, Any], operation: str = "chat", tool: str | None = None) -> list[tuple[str, list[str]]]:
    content = content_of(attributes, operation, tool)
    return [(message.role, [spelled(part) for part in message.parts]) for message in content.inputs + content.outputs]


def spelled(part: Part) -> str:
    return part.text if part.kind == "text" else f"{part.kind} {part.name or ''}: {part.text}".replace(" :", ":")


ASKED = [("system", ["Be brief."]), ("user", ["Oslo?"])]
ANSWERED = [("assistant", ["Sunny."])]
TOOL_USED = [("assistant", ['tool_call get_weather: {"city":"Oslo"}']), ("tool", ["tool_result get_weather: 18C"])]

INPUTS: dict[str, dict[str, Any]] = {
    "openai": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Oslo?"}]},
    "openai parts": {
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "Oslo?"}]},
        ]
    },
    "openai responses": {"instructions": "Be brief.", "input": "Oslo?", "model": "gpt-5"},
    "openai responses list": {"instructions": "Be brief.", "input": [{"role": "user", "content": "Oslo?"}]},
    "anthropic": {"system": "Be brief.", "messages": [{"role": "user", "content": "Oslo?"}], "max_tokens": 5},
    "gemini": {
        "config": {"system_instruction": "Be brief."},
        "contents": [{"role": "user", "parts": [{"text": "Oslo?"}]}],
    },
    "bedrock": {"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [{"text": "Oslo?"}]}]},
    "langchain": {
        "messages": [
            [
                {"lc": 1, "id": ["langchain", "SystemMessage"], "kwargs": {"content": "Be brief."}},
                {"lc": 1, "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Oslo?"}},
            ]
        ]
    },
    "langchain saved": {
        "messages": [
            {"type": "system", "data": {"content": "Be brief."}},
            {"type": "human", "data": {"content": "Oslo?"}},
        ]
    },
}
OUTPUTS: dict[str, Any] = {
    "text": "Sunny.",
    "openai": {"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Sunny."}}]},
    "openai completion": {"choices": [{"text": "Sunny.", "index": 0}]},
    "openai responses": {
        "id": "resp_1",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sunny."}]}],
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Sunny."}],
    },
    "gemini": {"candidates": [{"content": {"role": "model", "parts": [{"text": "Sunny."}]}, "finishReason": "STOP"}]},
    "langchain": {
        "generations": [
            [{"text": "Sunny.", "message": {"lc": 1, "id": ["AIMessage"], "kwargs": {"content": "Sunny."}}}]
        ]
    },
    "message": {"role": "assistant", "content": "Sunny."},
    "messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}]}],
}


@pytest.mark.parametrize("name", ["input.value", "langfuse.observation.input", "mlflow.spanInputs", "input"])
@pytest.mark.parametrize("shape", INPUTS)
def test_inputs_are_read_under_any_name(shape: str, name: str) -> None:
    assert said({name: json.dumps(INPUTS[shape])}) == ASKED
    assert said({name: INPUTS[shape]}) == ASKED


@pytest.mark.parametrize("name", ["output.value", "langfuse.observation.output", "mlflow.spanOutputs", "output"])
@pytest.mark.parametrize("shape", OUTPUTS)
def test_outputs_are_read_under_any_name(shape: str, name: str) -> None:
    assert said({name: json.dumps(OUTPUTS[shape])}) == ANSWERED


CALLS_AND_RESULTS: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": "F"}]},
        {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": "18C"},
    ],
    "openai responses": [
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
        {"type": "function_call_output", "call_id": "c1", "name": "get_weather", "output": "18C"},
    ],
    "anthropic": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "get_weather", "input": "A"}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c1", "name": "get_weather", "content": "R"}],
        },
    ],
    "vercel": [
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "get_weather", "input": "A"}],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool-result",
                    "toolCallId": "c1",
                    "toolName": "get_weather",
                    "output": {"type": "text", "value": "18C"},
                }
            ],
        },
    ],
    "gemini": [
        {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "get_weather", "args": "A"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": "18C"}}]},
    ],
    "bedrock": [
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": "A"}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "name": "get_weather", "content": "R"}}]},
    ],
    "conventions": [
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": "A"}]},
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "name": "get_weather", "response": "18C"}],
        },
    ],
}
PLACEHOLDERS = {
    '"A"': '{"city": "Oslo"}',
    '"R"': '[{"type": "text", "text": "18C"}]',
    '"F"': '{"name": "get_weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}',
}


@pytest.mark.parametrize("shape", CALLS_AND_RESULTS)
def test_tool_calls_and_results_keep_their_names_and_arguments(shape: str) -> None:
    text = json.dumps(CALLS_AND_RESULTS[shape])
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    assert said({"gen_ai.input.messages": text}) == TOOL_USED


MEDIA: dict[str, tuple[dict[str, Any], str]] = {
    "openai": ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, "image, image/png, 3 bytes"),
    "openai address": (
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        "image, https://example.com/a.png",
    ),
    "anthropic": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        "image, image/png, 3 bytes",
    ),
    "gemini": ({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, "image, image/png, 3 bytes"),
    "conventions": (
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"},
        "image, image/png, 3 bytes",
    ),
    "audio": ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "audio, wav, 3 bytes"),
    "document": (
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
        "file, application/pdf, 3 bytes",
    ),
}


@pytest.mark.parametrize("shape", MEDIA)
def test_media_are_placeholders(shape: str) -> None:
    value, words = MEDIA[shape]
    key = "parts" if shape in ("gemini", "conventions") else "content"
    message = {"role": "user", key: [value, {"type": "text", "text": "What is this?"}]}
    assert said({"gen_ai.input.messages": json.dumps([message])}) == [("user", [f"media: {words}", "What is this?"])]


def test_names_with_numbers_are_joined_to_messages() -> None:
    attributes = {
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "Oslo?",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "Sunny.",
        "gen_ai.completion.0.tool_calls.0.name": "get_weather",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Oslo"}',
    }
    assert said(attributes) == [*ASKED, ("assistant", ["Sunny.", 'tool_call get_weather: {"city":"Oslo"}'])]


def test_events_of_older_conventions_are_messages() -> None:
    events = [
        {"name": "gen_ai.system.message", "attributes": {"content": "Be brief."}},
        {"name": "gen_ai.user.message", "attributes": {"content": '[{"text": "Oslo?"}]'}},
        {"name": "gen_ai.choice", "attributes": {"message": '[{"text": "Sunny."}]', "finish_reason": "end_turn"}},
        {"name": "exception", "attributes": {"exception.message": "no"}},
    ]
    assert said({"events": events}) == [*ASKED, *ANSWERED]


def test_an_answer_in_parts_is_one_message() -> None:
    calls = json.dumps([{"toolCallId": "c1", "toolName": "get_weather", "input": '{"city":"Oslo"}'}])
    attributes = {"ai.prompt": '{"system": "Be brief.", "prompt": "Oslo?"}', "ai.response.text": "Looking"}
    found = said(attributes | {"ai.response.toolCalls": calls})
    assert found == [*ASKED, ("assistant", ["Looking", 'tool_call get_weather: {"city":"Oslo"}'])]


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        ("input.value", "output.value"),
        ("traceloop.entity.input", "traceloop.entity.output"),
        ("langfuse.observation.input", "langfuse.observation.output"),
        ("ai.toolCall.args", "ai.toolCall.result"),
    ],
)
def test_a_tool_shows_its_arguments_and_its_result(arguments: str, result: str) -> None:
    attributes = {arguments: '{"args": [], "kwargs": {"city": "Oslo"}}', result: '"18C"'}
    assert said(attributes, "execute_tool", "get_weather") == TOOL_USED


def test_python_texts_are_read_like_json() -> None:
    messages = str([{"role": "user", "content": "It's Oslo?", "name": None}])
    assert said({"llm.openai.messages": messages}) == [("user", ["It's Oslo?"])]


def test_the_beginning_of_a_text_that_was_cut_is_read() -> None:
    whole = json.dumps([{"role": "user", "content": "Oslo?"}, {"role": "assistant", "content": "x" * 50}])
    content = content_of({"gen_ai.input.messages": f"{whole[:-20]}…[cut 12345678]"}, "chat")
    assert [message.role for message in content.inputs] == ["user", "assistant"]
    assert content.inputs[-1].parts[-1].is_cut


@pytest.mark.parametrize("value", ODD_TEXTS)
def test_no_text_is_too_odd(value: str) -> None:
    for attributes in ({"input.value": value, "output.value": value}, {"gen_ai.input.messages": value}):
        for operation in ("chat", "execute_tool", "other", "embeddings"):
            content_of(attributes, operation, "tool")


@pytest.mark.parametrize("value", ODD_VALUES)
def test_no_value_is_too_odd(value: Any) -> None:
    for name in ("gen_ai.input.messages", "input.value", "ai.response.toolCalls", "events", "gen_ai.prompt.0.content"):
        content_of({name: value}, "chat")
        content_of({name: [value, {"type": "tool_call", "arguments": value}]}, "execute_tool", "tool")
        content_of({"events": [{"name": "gen_ai.choice", "attributes": {"message": value}}, value]}, "chat")
