"""Controls that could not be collected are told with the error's place, class and words; a row's text is none of them."""

import contextlib
import io
import secrets
from pathlib import Path

import pytest

from fixtures.plugin.gathering import Gatherer, Planned, without_report
from tests.support.controls_in_process import WITHOUT

BROKEN = {
    "an import": ("from nowhere import nothing\n", "{file}:1: ModuleNotFoundError: No module named 'nowhere'"),
    "a name": (
        "def test_one():\n    pass\n\n\nnot_there\n",
        "{file}:5: NameError: name 'not_there' is not defined",
    ),
    "a syntax error": ("def test_one(:\n    pass\n", "{file}:1: SyntaxError: "),
    "words of its own": ("raise ValueError('Ottoline')\n", "{file}:1: ValueError"),
    "subjects": (
        "def pytest_generate_tests(metafunc):\n    raise KeyError('Ottoline')\n\n\ndef test_one():\n    pass\n",
        "{file}:2: KeyError",
    ),
}


@pytest.mark.parametrize("style", ["auto", "native"])
@pytest.mark.parametrize("what", BROKEN)
def test_the_error_of_a_collection_is_told_in_each_check_that_it_keeps_from_being_tried(
    tmp_path: Path, what: str, style: str
) -> None:
    content, words = BROKEN[what]
    # A module of one name is imported once a process.
    file, other = (f"test_{secrets.token_hex(6)}.py" for _ in range(2))
    (tmp_path / file).write_text(content)
    (tmp_path / other).write_text("def test_two():\n    pass\n")
    nodes = {"BAK-01": "{file}::test_one", "BAK-02": "test_other.py::test_two"}
    gatherer = Gatherer([Planned(node, control, "whole") for control, node in nodes.items()])
    arguments = [
        "-c",
        "/dev/null",
        "--rootdir",
        str(tmp_path),
        f"--tb={style}",
        "--import-mode=importlib",
        str(tmp_path),
    ]
    arguments += [word for name in WITHOUT if name != "terminal" for word in ("-p", f"no:{name}")]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        ended = pytest.main(arguments, plugins=[gatherer])
    assert ended == pytest.ExitCode.INTERRUPTED, printed.getvalue()
    results = without_report(gatherer)
    assert {each.control for each in results} == {"BAK-01", "BAK-02"}
    (message,) = {each.message for each in results}
    assert message.startswith(
        "planned, but never reported: controls could not be collected, and pytest then tries none: "
    )
    assert words.format(file=file) in message
    assert "Ottoline" not in message
    assert str(tmp_path) not in message


def test_without_an_error_of_collection_a_lost_worker_is_what_is_left() -> None:
    (result,) = without_report(Gatherer([Planned("{file}::test_one", "BAK-01", "whole")]))
    assert result.message == "planned, but never reported: it was not collected, or its worker died"
