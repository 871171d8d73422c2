"""Documents keep their word: each link leads somewhere, and each command is one that make or the module takes."""

import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fixtures.commands.front.listed import COMMANDS as LISTED
from fixtures.record.wrong_call import WRONG_CALL
from tests.support.documented_calls import printed_calls, read_call
from tests.support.front_door import ROOT, front_door

DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "sample" / "README.md")
TWO_SCREENS = 900
AREAS = ("BAK", "RST", "FID", "MIG", "TEN", "BIL", "SIT", "FIL", "APP", "REL")
PICTURES = (".png", ".svg")


@cache
def tokens(document: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(document.read_text())


def links(document: Path) -> list[str]:
    """The addresses of its links and pictures."""
    return [
        str(child.attrs.get("href") or child.attrs.get("src"))
        for token in tokens(document)
        for child in token.children or ()
        if child.type in ("link_open", "image")
    ]


@cache
def anchors(document: Path) -> set[str]:
    """What a link may name behind `#`: its headings, as GitHub writes them."""
    parsed = tokens(document)
    headings = [parsed[at + 1].content for at, token in enumerate(parsed) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-") for heading in headings}


def commands(document: Path) -> list[str]:
    """Each command of its blocks of shell, whole: a line that ends in a backslash goes on in the next."""
    blocks = [token.content for token in tokens(document) if token.type == "fence" and token.info == "sh"]
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


COMMANDS = [(each, line) for each in DOCUMENTS for line in commands(each)]
OF_MAKE = [(each, line) for each, line in COMMANDS if re.match(r"(?:[A-Z_]+=\S+ )*make ", line)]
OF_COMMANDS = [(each, line) for each, line in COMMANDS if re.search(r"(?:^| |/)restore-drill ", line)]


def named(cases: list[tuple[Path, str]]) -> list[str]:
    return [f"{each.name}: {re.sub(r'[^a-zA-Z0-9=_-]+', ' ', line)[:60]}" for each, line in cases]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    broken = []
    for link in links(document):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_document_is_reached_from_the_readme() -> None:
    reached, ahead = {ROOT / "README.md"}, [ROOT / "README.md"]
    while ahead:
        document = ahead.pop()
        for link in links(document):
            target = (document.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                reached.add(target)
                ahead.append(target)
    assert set((ROOT / "docs").glob("*.md")) <= reached


def test_the_readme_is_two_screens_and_has_a_line_for_each_area() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.split()) <= TWO_SCREENS
    assert tuple(re.findall(r"^\| \*\*([A-Z]{3})\*\* ", text, re.MULTILINE)) == AREAS
    assert any(link.endswith(PICTURES) for link in links(ROOT / "README.md"))


@pytest.mark.parametrize(("document", "line"), OF_MAKE, ids=named(OF_MAKE))
def test_every_documented_call_of_make_is_one_that_it_takes(document: Path, line: str, tmp_path: Path) -> None:
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "DRILL_", "PG")) and name != "DATABASE_URL"
    }
    # What make test runs is made of the repository's own files: it is asked what it would do there.
    asks = "make test" in line
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT if asks else front_door(tmp_path / "door"),
        env=ours | ({"MAKEFLAGS": "n"} if asks else {}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{document.name}: {line}\n{done.stderr}"
    assert ("pytest" if asks else "server=") in done.stdout
    (tmp_path / "places").mkdir()
    server = re.search(r"^server=(.*)$", done.stdout, re.MULTILINE)
    calls = printed_calls(done.stdout)
    assert asks or (calls and server)
    for words in calls:
        read_call(words, tmp_path / "places", server[1] if server else "")


def test_the_site_has_a_page_for_each_document() -> None:
    pages = yaml.safe_load((ROOT / "docs" / "mkdocs.yml").read_text())["nav"]
    listed = [page for part in pages for page in (next(iter(part.values())) if isinstance(part, dict) else [part])]
    assert sorted(listed) == sorted(str(document.relative_to(ROOT)) for document in DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_command_that_is_named_in_a_sentence_is_there(document: Path) -> None:
    targets = re.findall(r"^##\s+([a-z-]+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    spans = [
        child.content for token in tokens(document) for child in token.children or () if child.type == "code_inline"
    ]
    made = {found[1] for span in spans if (found := re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]*)", span))}
    called = {found[1] for span in spans if (found := re.match(r"(?:\S*/)?restore-drill ([a-z][a-z-]*)", span))}
    assert made <= set(targets)
    assert called <= {command.name for command in LISTED}


@pytest.mark.parametrize(("document", "line"), OF_COMMANDS, ids=named(OF_COMMANDS))
def test_every_documented_command_is_one_that_it_takes(document: Path, line: str, tmp_path: Path) -> None:
    words = shlex.split(line, comments=True)
    place = next(place for place, word in enumerate(words) if word.endswith("restore-drill"))
    read_call(words[place + 1 :], tmp_path)


def test_every_other_documented_line_is_of_the_script_that_a_test_runs() -> None:
    """`tests/custody/test_custody.py` has openssl check a report by it."""
    others = {each.name for each, line in COMMANDS if (each, line) not in (*OF_MAKE, *OF_COMMANDS) and line.strip()}
    assert others == {"prove-it-to-an-auditor.md"}


@pytest.mark.parametrize("call", ["drill --backups /b --app /a --profile p --befor 2026", "keys", "prune --backups b"])
def test_a_line_that_its_command_refuses_would_be_seen(call: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        read_call(call.split(), tmp_path)
    assert refused.value.code == WRONG_CALL


@pytest.mark.parametrize("mark", ["<" * 7 + " ", "=" * 7 + "\n", ">" * 7 + " "], ids=["ours", "between", "theirs"])
def test_no_text_holds_what_a_merge_left(mark: str) -> None:
    """In a file that is Python the linter says it; no other file has one that does."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert DOCUMENTS[0] in files
    assert not [each for each in files if f"\n{mark}".encode() in each.read_bytes()]
