import pytest

from tools.mutants.mutations import list_mutations


@pytest.mark.parametrize(
	("line", "changed"),
	[
		("return a < 1", ["return None", "return a <= 1", "return a >= 1", "return a < (2)", "return a < (0)"]),
		("return not a", ["return None", "return  a"]),
		("x = a + b", ["x = a - b"]),
		("x = f(a, by=b, at=c)", ["x = f(a,  at=c)", "x = f(a, by=b, )"]),
		("if a in b: pass", ["if a not in b: pass"]),
		("x: int | None = a", []),
		("raise ValueError(f'{a + 1}')", []),
		("logger.info('%d', a + 1)", []),
		("x = zip(a, b, strict=True)", []),
	],
)
def test_what_decides_is_changed_and_nothing_else(line, changed, tmp_path):
	path = tmp_path / "module.py"
	path.write_text(f'"""Größe."""\n\ndef f(a: int | str):\n    {line}\n', encoding="utf-8")

	found = list_mutations(path)

	assert all(m.function == ("f", 3) and 4 in m.lines for m in found)
	assert sorted(str(m).rpartition("\n+ ")[2] for m in found) == sorted(changed)
