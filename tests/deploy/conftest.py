"""What the tests of what is deployed share: the image."""

from typing import Any

import pytest

from tests.support.built_image import image_of_commit


@pytest.fixture(scope="session")
def image(docker: None) -> tuple[str, dict[str, Any]]:
    """The name of the image, and what Docker says of it."""
    return image_of_commit()
