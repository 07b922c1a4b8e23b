"""The documentation; its page, style and script need no network."""

from collections.abc import Callable
from importlib.resources import files
from typing import Final

from apiflask import APIFlask
from flask import Response

_PAGES: Final = {
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/docs.css": ("docs.css", "text/css; charset=utf-8"),
    "/docs/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
}


def add_docs(app: APIFlask) -> None:
    """Add `/docs` and what belongs to it."""
    folder = files("loantap.serving.api") / "pages"
    for route, (name, kind) in _PAGES.items():
        content = (folder / name).read_bytes()
        view = app.doc(hide=True)(_make_view(content, kind))
        app.add_url_rule(route, f"docs_{name}", view)


def _make_view(content: bytes, kind: str) -> Callable[[], Response]:
    def show() -> Response:
        return Response(content, content_type=kind)

    return show
