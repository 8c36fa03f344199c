"""The gateways under test, and what is asked of them. Environment variables say where they are."""

import os

import openai

MODEL = "octet-tiny"
MESSAGES = [{"role": "user", "content": "Hello! How are you?"}]
REPLY = "I am very well, thank you. And you?"
GREEDY = {"model": MODEL, "temperature": 0, "max_tokens": 24}


def connect(variable="OCTET_BASE_URL", kind=openai.OpenAI, **options):
    base_url = f"{os.environ[variable]}/v1"
    return kind(base_url=base_url, api_key="none", **{"max_retries": 0, **options})
