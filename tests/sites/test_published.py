"""What published files point at is found in HTML, CSS and JSON, resolved as a browser would, and hostile ones cost little."""

import time

import pytest

from fixtures.archives.name_tree import folded
from fixtures.sites.published import references


def test_each_value_of_a_key_that_stands_twice_is_a_reference() -> None:
    content = b'{"page": "/one.html", "page": "/two.html"}'
    assert sorted(each.path for each in references("menu.json", content)) == ["one.html", "two.html"]


@pytest.mark.parametrize(
    ("path", "content", "paths"),
    [
        ("index.html", '<a href="about.html">', ["about.html"]),
        ("pages/a.html", "<a href='../index.html#top'><img src=b.png>", ["index.html", "pages/b.png"]),
        ("pages/a.html", '<link href="/css/site.css?v=3" rel="stylesheet">', ["css/site.css"]),
        ("a.html", '<a href="/"><a href="about/">', ["index.html", "about/index.html"]),
        ("a.html", '<a href="../../../etc/passwd">', ["etc/passwd"]),
        ("a.html", '<img srcset="a.png 1x, /b.png 2x" src="c.png">', ["a.png", "b.png", "c.png"]),
        (
            "a.html",
            '<a href="pages/%C3%BCber%20uns.html">&amp;<a href="a&amp;b.html">',
            ["pages/über uns.html", "a&b.html"],
        ),
        ("a.html", '<a href="https://x.example/y"><a href="//x/y"><a href="mailto:a@b"><a href="#b"><a href="?q">', []),
        ("a.html", '<!-- <a href="gone.html"> --><a data-href="no.html" href="yes.html">', ["yes.html"]),
        ("a.html", '<img src="data:image/png;base64,AA=="><style>b{background:url(c.png)}</style>', ["c.png"]),
        ("css/a.css", "a{background:url( 'b.png' )} /* url(no.png) */ @import \"c.css\";", ["css/b.png", "css/c.css"]),
        ("a.txt.html", b"<a href='\xff.html'>", ["\ufffd.html"]),
    ],
)
def test_what_a_file_points_at(path: str, content: str | bytes, paths: list[str]) -> None:
    packed = content if isinstance(content, bytes) else content.encode()
    assert [each.path for each in references(path, packed)] == paths


def test_a_path_in_json_may_count_from_the_site_or_from_its_own_folder() -> None:
    content = b'{"pages": ["pages/a.html", "A title.", 3], "logo": {"src": "/img/b.svg"}, "see": "https://x/y.html"}'
    assert sorted((each.path, each.otherwise) for each in references("data/menu.json", content)) == [
        ("img/b.svg", "img/b.svg"),
        ("pages/a.html", "data/pages/a.html"),
    ]


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff", b"3"])
def test_json_that_is_none_points_nowhere(content: bytes) -> None:
    assert not list(references("a.json", content))


@pytest.mark.parametrize(
    "piece", ["<a ", "<a href=", "<a href='", "<!--", "url(", "@import ", "<style", '"', "<a href=\t\t\t\t"]
)
@pytest.mark.parametrize("path", ["a.html", "a.css"])
def test_a_hostile_file_costs_no_more_than_its_length(path: str, piece: str) -> None:
    content = (piece * (2_000_000 // len(piece))).encode()
    begun = time.process_time()
    assert len(list(references(path, content))) <= 1
    assert time.process_time() - begun < 5


def test_names_that_one_disk_takes_for_one_fold_to_the_same() -> None:
    assert folded("Stra\u00dfe/\u00c9t\u00e9.HTML") == folded("STRASSE/e\u0301te\u0301.html")
    assert folded("a.html") != folded("b.html")
