"""One shop for all that is asked of money: each test opens it as it was."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.small_shop import Shop, small_shop


@pytest.fixture(scope="session")
def opened() -> Iterator[Callable[[], Shop]]:
    with small_shop() as opens:
        yield opens


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return opened()
