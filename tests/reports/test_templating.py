"""A template is compiled once, and anew as soon as anything that it was compiled of is another."""

from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from reports import templating
from reports.templating import kept_compiled


def one(text: str) -> str:
    return f"one {text}"


def another(text: str) -> str:
    return f"another {text}"


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was compiled since."""
    sources: list[str] = []
    really = Environment.compile

    def compile_it(environment: Environment, source: str, *rest: object) -> object:
        sources.append(source)
        return really(environment, source, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(Environment, "compile", compile_it)
    return sources


def written(folder: Path, source: str = "{{ 'x' }}", spelled: Callable[[str], str] = one) -> str:
    cache = kept_compiled(spelled, folder)
    environment = Environment(loader=DictLoader({"t": source}), bytecode_cache=cache, finalize=spelled)
    return environment.get_template("t").render()


def test_a_template_is_compiled_once(tmp_path: Path, compiled: list[str]) -> None:
    assert [written(tmp_path), written(tmp_path)] == ["one x", "one x"]
    assert compiled == ["{{ 'x' }}"]


def test_another_source_is_compiled_anew(tmp_path: Path) -> None:
    assert [written(tmp_path), written(tmp_path, "{{ 'y' }}")] == ["one x", "one y"]


def test_what_writes_other_values_has_templates_of_its_own(tmp_path: Path) -> None:
    assert [written(tmp_path), written(tmp_path, spelled=another)] == ["one x", "another x"]


def test_with_other_code_a_template_is_compiled_anew(
    tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.setattr(templating, "compiled_with", lambda: "other code")
    written(tmp_path)
    assert len(compiled) == 2


def test_the_code_is_that_of_the_words_and_of_the_templating(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = templating.compiled_with()
    for name in ("words.py", "templating.py"):
        (tmp_path / name).write_bytes((Path(templating.__file__).parent / name).read_bytes())
    monkeypatch.setattr(templating, "_CODE", tmp_path)
    templating.compiled_with.cache_clear()
    copied = templating.compiled_with()
    (tmp_path / "words.py").write_text("")
    templating.compiled_with.cache_clear()
    assert len({before, copied, templating.compiled_with()}) == 3
    templating.compiled_with.cache_clear()


def test_where_python_keeps_no_bytecode_no_template_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_compiled(one, tmp_path / "nowhere") is None
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    written(tmp_path)
    assert list(tmp_path.iterdir()) == []
