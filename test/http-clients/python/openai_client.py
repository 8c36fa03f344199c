"""The gateway as OpenAI's own client for Python sees it. Run by pytest; OCTET_BASE_URL says where."""

import asyncio
import os

import openai
import pytest

MODEL = "octet-tiny"
MESSAGES = [{"role": "user", "content": "Hello! How are you?"}]
REPLY = "I am very well, thank you. And you?"
GREEDY = {"model": MODEL, "temperature": 0, "max_tokens": 24}


def connect(variable="OCTET_BASE_URL", kind=openai.OpenAI, **options):
    base_url = f"{os.environ[variable]}/v1"
    return kind(base_url=base_url, api_key="none", **{"max_retries": 0, **options})


@pytest.fixture
def client():
    with connect() as opened:
        yield opened


def test_models(client):
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL


def test_chat(client):
    answer = client.chat.completions.create(messages=MESSAGES, **GREEDY)
    assert answer.choices[0].message.content == REPLY
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 29
    assert answer._request_id


def test_chat_streamed_with_usage(client):
    stream = client.chat.completions.create(
        messages=MESSAGES, stream=True, stream_options={"include_usage": True}, **GREEDY
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == REPLY
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 13
    assert [c.usage for c in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_chat_by_the_stream_helper(client):
    with client.chat.completions.stream(messages=MESSAGES, **GREEDY) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content == REPLY


def test_parameters_of_others_by_extra_body(client):
    extra = {"top_k": 1, "min_p": 0.1, "repetition_penalty": 1.0, "return_token_ids": True}
    answer = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, max_tokens=24, extra_body=extra
    )
    assert answer.choices[0].message.content == REPLY
    assert len(answer.choices[0].token_ids) == answer.usage.completion_tokens


def test_completions(client):
    options = {**GREEDY, "max_tokens": 6}
    one = client.completions.create(prompt="Once upon", **options)
    two = client.completions.create(prompt=["Once upon", "The dog"], **options)
    assert two.choices[0].text == one.choices[0].text
    echoed = client.completions.create(prompt="Once upon", echo=True, **options)
    assert echoed.choices[0].text == "Once upon" + one.choices[0].text
    stream = client.completions.create(prompt="Once upon", stream=True, **options)
    assert "".join(c.choices[0].text for c in stream) == one.choices[0].text


def test_errors_come_as_the_class_that_they_are(client):
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(messages=MESSAGES, **{**GREEDY, "temperature": -1})
    assert (bad.value.code, bad.value.param) == ("invalid_parameter", "temperature")
    with pytest.raises(openai.BadRequestError) as long:
        client.completions.create(model=MODEL, prompt="hello " * 4000)
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.NotFoundError) as missing:
        client.completions.create(model="gpt-5", prompt="a")
    assert missing.value.code == "model_not_found"
    with connect("OCTET_LOADING_URL") as loading:
        with pytest.raises(openai.InternalServerError) as unready:
            loading.completions.create(model=MODEL, prompt="a")
    assert (unready.value.status_code, unready.value.code) == (503, "model_loading")


def test_a_stream_that_is_left_ends_its_work_and_a_refused_request_is_retried():
    with connect("OCTET_BUSY_URL") as busy, connect("OCTET_BUSY_URL", max_retries=5) as patient:
        stream = busy.completions.create(model=MODEL, prompt="Once", max_tokens=1500, stream=True)
        with pytest.raises(openai.InternalServerError) as refused:
            busy.completions.create(model=MODEL, prompt="a")
        assert refused.value.code == "overloaded"
        stream.close()
        assert patient.completions.create(prompt="Once upon", **GREEDY).choices[0].text


def test_a_task_that_is_cancelled_ends_its_work():
    async def cancel_one():
        async with connect("OCTET_BUSY_URL", openai.AsyncOpenAI) as busy:
            create = busy.completions.create(model=MODEL, prompt="Once", max_tokens=1500)
            task = asyncio.create_task(create)
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel_one())
    with connect("OCTET_BUSY_URL", max_retries=5) as patient:
        assert patient.completions.create(prompt="Once upon", **GREEDY).choices[0].text
