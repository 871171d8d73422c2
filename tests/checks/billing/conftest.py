"""One shop for all files that ask of money: each test opens it as it was."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.small_shop import Shop, small_shop


@pytest.fixture(scope="package")
def opened() -> Iterator[Callable[[], Shop]]:
    with small_shop() as opens:
        yield opens


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return opened()
