import doctest
from importlib import import_module
from pathlib import Path

import pytest

import loantap

PACKAGE = Path(loantap.__file__).parent
# Modules without an example are not imported: some need a package that may not be there.
WITH_EXAMPLES = sorted(
	".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
	for path in PACKAGE.rglob("*.py")
	if ">>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_come_out_as_shown(name):
	told = []
	runner = doctest.DocTestRunner()
	for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(name)):
		runner.run(test, out=told.append)

	assert not told, "".join(told)
	assert runner.summarize(verbose=False).attempted > 0


def test_examples_are_found():
	assert "loantap.portfolio.amortisation" in WITH_EXAMPLES
