import base64
import hashlib
import re
from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script>\"'&"

_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)
_VOID = {"meta", "line", "circle", "img", "br", "wbr"}


class Outline(HTMLParser):
	"""What a browser would make of a page: nesting, resources, anchors, text."""

	def __init__(self, html):
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


def read_text(html):
	body = _SCRIPT.sub("", html.partition("</head>")[2].replace("<wbr>", ""))
	return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def section_of(html, anchor):
	"""A section or a fold, with all that is in it."""
	start = html.rindex("<", 0, html.index(f'id="{anchor}"'))
	tag = re.match(r"<(\w+)", html[start:])
	assert tag
	depth = 0
	for end in re.finditer(rf"<(/?){tag[1]}\b[^>]*>", html[start:]):
		depth += -1 if end[1] else 1
		if depth == 0:
			return html[start : start + end.end()]
	raise AssertionError(f"{anchor} is never closed")


def read_section(html, anchor):
	return read_text("</head>" + section_of(html, anchor))


def scripts_of(html):
	return re.findall(r"<script>(.*?)</script>", html, re.DOTALL)


def assert_self_contained(html):
	outline = Outline(html)
	assert [load for load in outline.loads if not load.startswith("data:")] == []
	assert not {"link", "iframe", "object"} & set(outline.tags)
	# A script is run only if the policy of the page knows it by its digest.
	(policy,) = [a["content"] for a in outline.attributes if a.get("http-equiv")]
	digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts_of(html)]
	# Elements of another type hold data and are never run.
	run = [a for a in outline.attributes if a["tag"] == "script" and "type" not in a]
	assert len(run) == len(digests)
	allowed = str(policy).partition("script-src")[2]
	assert re.findall(r"'([^']+)'", allowed) == [f"sha256-{digest}" for digest in digests]
	# The policy forbids every connection, whatever a script names.
	assert str(policy).startswith("default-src 'none';")
	assert not re.search(r"https?:|@import|url\(", _SCRIPT.sub("", html))
	anchors = {target.removeprefix("#") for target in outline.targets}
	assert anchors
	assert anchors <= set(outline.ids)
	assert len(outline.ids) == len(set(outline.ids))
