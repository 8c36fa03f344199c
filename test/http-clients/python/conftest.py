import pytest
from gateways import connect


@pytest.fixture
def client():
    with connect() as opened:
        yield opened
