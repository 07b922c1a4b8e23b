from __future__ import annotations

import re
from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script>\"'&"

_VOID = {"meta", "line", "circle", "img", "br", "wbr"}


class Outline(HTMLParser):
    """What a browser would make of a page: nesting, resources, anchors, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes.append({"tag": tag, **given})
        self.ids += [given["id"]] if "id" in given else []
        loaded = [given.get(name) for name in ("src", "srcset", "data", "poster", "xlink:href")]
        self.loads += [value for value in loaded if value]
        if "href" in given:
            (self.targets if tag == "a" else self.loads).append(given["href"])
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag


def read_text(html: str) -> str:
    """The words a reader sees, blanks joined."""
    body = html.split("</head>")[1].replace("<wbr>", "")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def section_of(html: str, anchor: str) -> str:
    """The section of a page that begins at an anchor."""
    start = html.index(f'id="{anchor}"')
    return html[start : html.index("</section>", start)]


def read_section(html: str, anchor: str) -> str:
    """The words a reader sees of one section."""
    return read_text("</head>" + section_of(html, anchor))


def assert_self_contained(html: str) -> None:
    outline = Outline(html)
    assert [load for load in outline.loads if not load.startswith("data:")] == []
    assert not {"script", "link", "iframe", "object"} & set(outline.tags)
    assert not re.search(r"https?:|@import|url\(", html)
    anchors = {target.removeprefix("#") for target in outline.targets}
    assert anchors
    assert anchors <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
