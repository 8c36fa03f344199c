"""Tools, schemas, log-probabilities and several answers, as OpenAI's client for Python has them."""

import asyncio
import json
import math
import re
from enum import Enum

import openai
import pytest
from gateways import GREEDY, MESSAGES, MODEL, REPLY, connect
from pydantic import BaseModel

CITIES = ["Oslo", "Rome"]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": CITIES}},
            "required": ["city"],
        },
    },
}
TIME = {
    "type": "function",
    "function": {
        "name": "get_time",
        "parameters": {"type": "object", "additionalProperties": False},
    },
}
ASKED = {"model": MODEL, "messages": MESSAGES, "max_tokens": 400, "seed": 7}
CALLING = {**ASKED, "tools": [WEATHER, TIME]}
ONE_CALL = {"parallel_tool_calls": False}
NAMED = {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}}


def check_call(call, names=("get_weather",)):
    assert call.type == "function"
    assert call.function.name in names
    assert re.fullmatch("[a-zA-Z0-9]{9}", call.id)
    arguments = json.loads(call.function.arguments)
    if call.function.name == "get_weather":
        assert arguments["city"] in CITIES
    else:
        assert arguments == {}


def streamed_calls(stream):
    """Each call as its one delta had it, and why the answer ended."""
    deltas, reasons = [], []
    for chunk in stream:
        for choice in chunk.choices:
            deltas.extend(choice.delta.tool_calls or [])
            reasons.append(choice.finish_reason)
    return deltas, [reason for reason in reasons if reason]


def test_with_auto_the_model_may_just_answer(client):
    options = {**CALLING, "temperature": 0}
    for asked in (options, {**options, "tool_choice": "auto"}):
        choice = client.chat.completions.create(**asked).choices[0]
        assert choice.finish_reason == "stop"
        assert choice.message.content
        assert choice.message.tool_calls is None
    none = client.chat.completions.create(**options, tool_choice="none").choices[0]
    assert none.message.tool_calls is None


def test_a_named_tool_is_called_whole_and_streamed(client):
    options = {**CALLING, **ONE_CALL, **NAMED}
    choice = client.chat.completions.create(**options).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    [call] = choice.message.tool_calls
    check_call(call)
    [delta], reasons = streamed_calls(client.chat.completions.create(stream=True, **options))
    assert reasons == ["tool_calls"]
    assert (delta.index, delta.id, delta.type) == (0, call.id, "function")
    assert delta.function.name == call.function.name
    assert delta.function.arguments == call.function.arguments


def test_required_calls_come_one_or_several(client):
    create = client.chat.completions.create
    [one] = create(**CALLING, **ONE_CALL, tool_choice="required").choices[0].message.tool_calls
    check_call(one, ("get_weather", "get_time"))
    several, _ = streamed_calls(create(**CALLING, tool_choice="required", stream=True))
    assert len(several) > 1
    assert [call.index for call in several] == list(range(len(several)))
    assert len({call.id for call in several}) == len(several)
    for call in several:
        check_call(call, ("get_weather", "get_time"))


def test_the_stream_helper_puts_calls_together(client):
    options = {**CALLING, **ONE_CALL, **NAMED}
    whole = client.chat.completions.create(**options)
    done = []
    with client.chat.completions.stream(**options) as stream:
        for event in stream:
            if event.type == "tool_calls.function.arguments.done":
                done.append((event.name, event.arguments))
        final = stream.get_final_completion()
    [call] = whole.choices[0].message.tool_calls
    assert done == [(call.function.name, call.function.arguments)]
    assert final.choices[0].message.tool_calls[0].id == call.id


def test_a_conversation_goes_round_with_what_tools_answered(client):
    create = client.chat.completions.create
    first = create(**CALLING, tool_choice="required").choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in first.tool_calls
    ]
    turns = {"messages": [*MESSAGES, first, *results]}
    second = create(**{**CALLING, **turns, **ONE_CALL, **NAMED}).choices[0].message
    check_call(second.tool_calls[0])
    result = {"role": "tool", "tool_call_id": second.tool_calls[0].id, "content": "sun"}
    last = {"messages": [*turns["messages"], second, result]}
    options = {**CALLING, **last, "tool_choice": "none", "max_tokens": 8}
    assert create(**options).choices[0].message.content
    orphan = {"messages": [*MESSAGES, {"role": "tool", "tool_call_id": "x", "content": "1"}]}
    with pytest.raises(openai.BadRequestError) as refused:
        create(**{**CALLING, **orphan})
    assert refused.value.param == "messages[1]"


class Mood(str, Enum):
    GLAD = "glad"
    SAD = "sad"


class Feeling(BaseModel):
    mood: Mood
    since_year: int
    reasons: list[Mood]


def test_a_pydantic_model_is_what_is_parsed_whole_and_streamed(client):
    options = {**ASKED, "response_format": Feeling, "seed": 1}
    whole = client.chat.completions.parse(**options).choices[0]
    assert whole.finish_reason == "stop"
    assert isinstance(whole.message.parsed, Feeling)
    with client.chat.completions.stream(**options) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == whole.message.parsed


class GetWeather(BaseModel):
    """The weather of a city."""

    city: Mood


def test_a_pydantic_tool_gets_parsed_arguments(client):
    tool = openai.pydantic_function_tool(GetWeather)
    options = {**ASKED, **ONE_CALL, "tools": [tool], "tool_choice": "required"}
    [call] = client.chat.completions.parse(**options).choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, GetWeather)


def test_a_schema_json_mode_and_the_kinds_of_vllm_are_kept_to(client):
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["glad", "sad"]}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    named = {"name": "mood", "schema": schema, "strict": True}
    response_format = {"type": "json_schema", "json_schema": named}
    create = client.chat.completions.create
    whole = create(**ASKED, response_format=response_format).choices[0].message.content
    assert json.loads(whole)["mood"] in ["glad", "sad"]
    stream = create(**ASKED, response_format=response_format, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == whole
    begun = create(**ASKED, response_format={"type": "json_object"}).choices[0].message.content
    assert begun.lstrip().startswith("{")
    for kind, value, pattern in [
        ("regex", "[ab]{3}c", "[ab]{3}c"),
        ("choice", ["red", "blue"], "red|blue"),
        ("grammar", 'root ::= "x" [0-9]', "x[0-9]"),
    ]:
        extra = {"structured_outputs": {kind: value}}
        assert re.fullmatch(pattern, create(**ASKED, extra_body=extra).choices[0].message.content)


def test_a_schema_that_cannot_be_kept_to_is_refused(client):
    named = {"name": "mood", "schema": {"not": {}}}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            **ASKED, response_format={"type": "json_schema", "json_schema": named}
        )
    assert (refused.value.code, refused.value.param) == ("invalid_grammar", "response_format")
    assert '"not"' in refused.value.message


def test_log_probabilities_of_a_chat_whole_and_streamed(client):
    options = {**GREEDY, "messages": MESSAGES, "logprobs": True, "top_logprobs": 3}
    choice = client.chat.completions.create(**options).choices[0]
    tokens = choice.logprobs.content
    assert bytes(byte for token in tokens for byte in token.bytes).decode() == REPLY
    for token in tokens:
        assert token.logprob <= 0
        assert len(token.top_logprobs) == 3
        # Greedy: it is the likeliest one that was chosen.
        assert token.top_logprobs[0].logprob == token.logprob
        assert sum(math.exp(other.logprob) for other in token.top_logprobs) <= 1.0001
    chunks = client.chat.completions.create(**options, stream=True)
    parts = [c.choices[0].logprobs for c in chunks if c.choices and c.choices[0].logprobs]
    assert [token for part in parts for token in part.content] == tokens


def test_log_probabilities_of_a_completion_and_of_its_prompt(client):
    options = {**GREEDY, "max_tokens": 4, "prompt": "Once upon a", "logprobs": 2}
    found = client.completions.create(**options).choices[0].logprobs
    assert len(found.tokens) == len(found.token_logprobs) == len(found.top_logprobs) == 4
    echoed = client.completions.create(**options, echo=True).choices[0].logprobs
    assert echoed.token_logprobs[0] is None
    assert all(logprob <= 0 for logprob in echoed.token_logprobs[1:])
    assert echoed.tokens[-4:] == found.tokens
    assert echoed.text_offset == sorted(echoed.text_offset)


def test_several_answers_whole_and_streamed(client):
    options = {"model": MODEL, "messages": MESSAGES, "max_tokens": 12, "seed": 2, "n": 4}
    whole = client.chat.completions.create(**options)
    assert [choice.index for choice in whole.choices] == [0, 1, 2, 3]
    texts = [choice.message.content for choice in whole.choices]
    assert len(set(texts)) > 1
    streamed = [""] * 4
    for chunk in client.chat.completions.create(**options, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] += choice.delta.content or ""
    assert streamed == texts
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{**options, "n": 9})
    assert refused.value.param == "n"


def test_answers_with_tools_and_schemas_do_not_mix_when_asked_at_once():
    async def ask_all():
        async with connect(kind=openai.AsyncOpenAI) as client:
            create = client.chat.completions.create
            calling = create(**CALLING, **ONE_CALL, **NAMED)
            plain = create(messages=MESSAGES, **GREEDY)
            formed = client.chat.completions.parse(**ASKED, response_format=Feeling)
            return await asyncio.gather(calling, plain, formed)

    called, said, formed = asyncio.run(ask_all())
    check_call(called.choices[0].message.tool_calls[0])
    assert said.choices[0].message.content == REPLY
    assert isinstance(formed.choices[0].message.parsed, Feeling)
