"""Small changes to a module, each of which some test must notice.

Operators, comparisons, numbers, truth values, conditions, loops, returns, handlers, arguments with a name. Left out:
what decides nothing (annotations, decorators, texts, what is raised or logged, `strict` and the like), and an argument
given by place, without which a call fails in any test.
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_OTHER: Final[dict[type[ast.AST], tuple[tuple[str, str], ...]]] = {
	ast.Add: (("+", "-"),),
	ast.Sub: (("-", "+"),),
	ast.Mult: (("*", "/"),),
	ast.Div: (("/", "*"),),
	ast.FloorDiv: (("//", "/"),),
	ast.Mod: (("%", "*"),),
	ast.Pow: (("**", "*"),),
	ast.BitOr: (("|", "&"),),
	ast.BitAnd: (("&", "|"),),
	ast.And: (("and", "or"),),
	ast.Or: (("or", "and"),),
	ast.Lt: (("<", "<="), ("<", ">=")),
	ast.LtE: (("<=", "<"), ("<=", ">")),
	ast.Gt: ((">", ">="), (">", "<=")),
	ast.GtE: ((">=", ">"), (">=", "<")),
	ast.Eq: (("==", "!="),),
	ast.NotEq: (("!=", "=="),),
	ast.Is: (("is", "is not"),),
	ast.IsNot: (("is not", "is"),),
	ast.In: (("in", "not in"),),
	ast.NotIn: (("not in", "in"),),
}
_NO_DECISION: Final = {"strict", "frozen", "kw_only", "slots", "stacklevel", "description", "help"}


@dataclass(frozen=True)
class Mutation:
	"""A part of a module's text, and what stands there instead."""

	path: Path
	text: str
	start: int
	end: int
	instead: str
	lines: range
	"""Of its statement, or of the head of one with a body: a test that reaches one of them may notice."""
	function: tuple[str, int] | None
	"""Name and first line of the outermost function whose body it is in."""

	@property
	def changed(self) -> str:
		"""The module after the change."""
		return self.text[: self.start] + self.instead + self.text[self.end :]

	@property
	def key(self) -> str:
		"""The same as long as the module is."""
		return hashlib.sha256(f"{self.path}\n{self.start}\n{self.changed}".encode()).hexdigest()[:20]

	def __str__(self) -> str:
		"""Where it is, and the lines before and after."""
		low, high = self.text.rfind("\n", 0, self.start) + 1, self.text.find("\n", self.end)
		line = self.text.count("\n", 0, self.start) + 1
		before, after = self.text[low:high], self.text[low : self.start] + self.instead + self.text[self.end : high]
		return f"{self.path}:{line}\n- {before.strip()}\n+ {after.strip()}"


def list_mutations(path: Path) -> list[Mutation]:
	"""The changes that a module is tried with, from its top to its end."""
	text = path.read_text(encoding="utf-8")
	return sorted(_Finder(path, text).find(ast.parse(text), range(1), None, ""), key=lambda m: (m.start, m.instead))


class _Finder:
	def __init__(self, path: Path, text: str) -> None:
		self.path, self.text = path, text
		self.offsets = [0]
		for line in text.splitlines(keepends=True):
			self.offsets.append(self.offsets[-1] + len(line))

	def at(self, line: int, column: int) -> int:
		"""The place in the text; columns of a syntax tree are in bytes."""
		start = self.offsets[line - 1]
		return start + len(self.text[start:].split("\n", 1)[0].encode()[:column].decode())

	def find(self, node: ast.AST, lines: range, function: tuple[str, int] | None, name: str) -> Iterator[Mutation]:
		if isinstance(node, ast.stmt):
			body = getattr(node, "body", None)
			lines = range(node.lineno, body[0].lineno if body else (node.end_lineno or 0) + 1)
			lines = lines or range(node.lineno, node.lineno + 1)
		for start, end, instead in self.changes(node):
			yield Mutation(self.path, self.text, start, end, instead, lines, function)
		if isinstance(node, ast.FunctionDef | ast.ClassDef):
			name = f"{name}.{node.name}".lstrip(".")
		for field, value in ast.iter_fields(node):
			inner = function
			if isinstance(node, ast.FunctionDef) and field == "body":
				inner = function or (name, min([node.lineno, *(line.lineno for line in node.decorator_list)]))
			for child in value if isinstance(value, list) else [value]:
				if isinstance(child, ast.AST) and not _decides_nothing(node, field, child):
					yield from self.find(child, lines, inner, name)

	def changes(self, node: ast.AST) -> Iterator[tuple[int, int, str]]:  # noqa: C901, PLR0912 - a table
		match node:
			case ast.BinOp():
				yield from self.between(node.left, node.right, node.op)
			case ast.BoolOp():
				yield from self.between(node.values[0], node.values[1], node.op)
			case ast.Compare():
				for left, right, operator in zip([node.left, *node.comparators], node.comparators, node.ops, strict=False):
					yield from self.between(left, right, operator)
			case ast.UnaryOp():
				start = self.span(node)[0]
				yield start, start + (3 if isinstance(node.op, ast.Not) else 1), ""
			case ast.Constant(value=bool() as value):
				yield *self.span(node), str(not value)
			case ast.Constant(value=int() | float() as value):
				yield from ((*self.span(node), f"({value + step})") for step in (1, -1))
			case ast.If() | ast.While() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.UnaryOp):
				start, end = self.span(node.test)
				yield start, end, f"(not ({self.text[start:end]}))"
			case ast.For():
				yield *self.span(node.iter), "()"
			case ast.Break() | ast.Continue():
				yield *self.span(node), "continue" if isinstance(node, ast.Break) else "break"
			case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
				yield *self.span(value), "None"
			case ast.ExceptHandler(type=ast.expr() as error):
				yield *self.span(error), "()"
			case ast.Call():
				for given in node.keywords:
					if given.arg and given.arg not in _NO_DECISION:
						start, end = self.span(given)
						rest = self.text[end:].lstrip()
						yield start, len(self.text) - len(rest) + rest.startswith(","), ""

	def between(self, left: ast.AST, right: ast.AST, operator: ast.AST) -> Iterator[tuple[int, int, str]]:
		low, high = self.span(left)[1], self.span(right)[0]
		for word, instead in _OTHER.get(type(operator), ()):
			start = self.text.find(word, low, high)
			if start >= 0:
				yield start, start + len(word), instead

	def span(self, node: ast.AST) -> tuple[int, int]:
		places = [getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")]
		return self.at(*places[:2]), self.at(*places[2:])


def _decides_nothing(parent: ast.AST, field: str, node: ast.AST) -> bool:
	match parent, node:
		case ast.keyword(arg=arg), _:
			return arg in _NO_DECISION
		case (ast.Raise(), ast.Call()) | (_, ast.MatchOr() | ast.JoinedStr()):
			return True
		case _, ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
			return "log" in name.lower()
	return field in {"annotation", "returns", "decorator_list"}
