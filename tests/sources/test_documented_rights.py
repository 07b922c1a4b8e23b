import re

import pyarrow as pa
import pytest

from loantap.databases.backends import make_writable
from loantap.databases.backends.connection_text import set_odbc
from loantap.portfolio.errors import InputError
from tests.conftest import PROJECT
from tests.sources.our_tables import make_loans as make_rows
from tests.sources.our_tables import make_target
from tests.sources.source_rows import find_source, make_loans

DATABASE, PASSWORD = "documented", "made-up"
ROLES = ("loantap_reader_x", "loantap_writer_x")


@pytest.fixture
def documented(postgres):
	"""A database to which the two blocks of SQL have been applied, under names of their own."""
	postgres.run_sql(f"CREATE DATABASE {DATABASE}")
	postgres.load("loans", make_loans(5), database=DATABASE)
	text = (PROJECT / "docs" / "sources.md").read_text(encoding="utf-8")
	section = text.partition("## Data Warehouse")[2].partition("\n## ")[0]
	blocks = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
	assert len(blocks) == 2
	for block in blocks:
		said = re.sub(r"loantap_(reader|writer)", r"loantap_\1_x", block)
		said = said.replace("DATABASE warehouse", f"DATABASE {DATABASE}")
		postgres.run_sql(said.replace("'...'", f"'{PASSWORD}'"), database=DATABASE)
	yield postgres
	postgres.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
	for role in ROLES:
		postgres.run_sql(f"DROP ROLE {role}")


def connect_as(server, role):
	return set_odbc(server.connection, Database=DATABASE, Uid=role, Pwd=PASSWORD)


def test_the_reader_reads_and_may_not_write(documented):
	connection = connect_as(documented, ROLES[0])

	assert find_source(connection).read().read_all().equals(make_loans(5))
	writable = make_writable("warehouse", {"connection": connection})
	with (
		pytest.raises(InputError, match=r"the login may only read .* login of its own"),
		writable.transaction() as transaction,
	):
		transaction.execute("CREATE TABLE ours (number BIGINT)")


def test_the_writer_writes_and_may_not_read_the_sources(documented):
	connection = connect_as(documented, ROLES[1])
	target = make_target(connection)
	target.save(make_rows(3))
	target.publish()

	assert pa.Table.from_batches(target.load()).num_rows == 3
	writable = make_writable("warehouse", {"connection": connection})
	with pytest.raises(InputError, match="is not allowed to do this"), writable.transaction() as transaction:
		transaction.execute("SELECT * FROM public.loans")
