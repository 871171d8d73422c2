"""A plugin of pytest that writes how many earlier drills its own drill holds, to the file that HELD names: once its checks
begin, and once its documents are to be made."""

import gc
import os
from pathlib import Path

from fixtures.custody.drill_before import DrillBefore

NAMED_BY = "HELD"


def write_down() -> None:
    gc.collect()
    with Path(os.environ[NAMED_BY]).open("a") as file:
        file.write(f"{sum(isinstance(each, DrillBefore) for each in gc.get_objects())}\n")


def pytest_drill_checks_begin() -> None:
    write_down()


def pytest_drill_evidence() -> None:
    write_down()
