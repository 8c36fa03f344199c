"""The gateway as OpenAI's own client for Python sees it. Run by pytest; OCTET_BASE_URL says where."""

import asyncio

import openai
import pytest
from gateways import GREEDY, MESSAGES, MODEL, REPLY, connect


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


# Longer than any of these tests stays.
LONG = {"model": MODEL, "prompt": "Once", "max_tokens": 2000, "extra_body": {"ignore_eos": True}}


def assert_it_is_free_again():
    """Whoever was left or gave up no longer takes the only place that there is."""
    with connect("OCTET_BUSY_URL", max_retries=5) as patient:
        assert patient.completions.create(prompt="Once upon", **GREEDY).choices[0].text


def test_a_stream_that_is_left_ends_its_work_and_a_refused_request_is_not_retried_unasked():
    with connect("OCTET_BUSY_URL") as busy:
        stream = busy.completions.create(stream=True, **LONG)
        with pytest.raises(openai.InternalServerError) as refused:
            busy.completions.create(model=MODEL, prompt="a")
        assert refused.value.code == "overloaded"
        assert int(refused.value.response.headers["retry-after"]) >= 1
        for chunk in stream:
            assert chunk.choices[0].text is not None
            break
        stream.close()
    assert_it_is_free_again()


def test_a_refused_request_is_retried_until_there_is_room():
    with connect("OCTET_BUSY_URL") as busy:
        stream = busy.completions.create(stream=True, **LONG)

        def leave_when_refused(response):
            if response.status_code == 503:
                stream.close()

        hooks = {"response": [leave_when_refused]}
        http_client = openai.DefaultHttpxClient(event_hooks=hooks)
        with connect("OCTET_BUSY_URL", max_retries=5, http_client=http_client) as patient:
            create = patient.completions.with_raw_response.create
            answer = create(prompt="Once upon", **GREEDY)
    assert answer.parse().choices[0].text
    assert answer.retries_taken >= 1


def test_a_bad_request_is_not_retried():
    with connect(max_retries=5) as patient, pytest.raises(openai.BadRequestError) as bad:
        patient.completions.create(model=MODEL, prompt="a", temperature=-1)
    assert bad.value.request.headers["x-stainless-retry-count"] == "0"


def test_a_task_that_is_cancelled_ends_its_work():
    async def cancel_one():
        async with connect("OCTET_BUSY_URL", openai.AsyncOpenAI) as busy:
            task = asyncio.create_task(busy.completions.create(**LONG))
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel_one())
    assert_it_is_free_again()


def test_an_async_stream_that_is_left_ends_its_work():
    async def leave_one():
        async with connect("OCTET_BUSY_URL", openai.AsyncOpenAI) as busy:
            async with await busy.completions.create(stream=True, **LONG) as stream:
                async for _ in stream:
                    break

    asyncio.run(leave_one())
    assert_it_is_free_again()


def test_a_request_that_takes_too_long_ends_its_work():
    with connect("OCTET_BUSY_URL", timeout=0.1) as hasty:
        with pytest.raises(openai.APITimeoutError):
            hasty.completions.create(**LONG)
    assert_it_is_free_again()


def test_several_ask_at_once():
    async def ask_all():
        async with connect(kind=openai.AsyncOpenAI) as client:
            create = client.chat.completions.create
            return await asyncio.gather(*(create(messages=MESSAGES, **GREEDY) for _ in range(8)))

    answers = asyncio.run(ask_all())
    assert [answer.choices[0].message.content for answer in answers] == [REPLY] * 8
    assert len({answer.id for answer in answers}) == 8
