"""Parts the cases of a test: the first stands for their kind in `make test`, and `make test-all` tries the others as well."""

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def first_of(cases: Iterable[Any], number: int = 1) -> list[ParameterSet]:
    """The cases in their order, all but the first `number` marked further."""
    parted = [(case if isinstance(case, tuple) else (case,)) for case in cases]
    return [pytest.param(*case, marks=[pytest.mark.further] * (place >= number)) for place, case in enumerate(parted)]
