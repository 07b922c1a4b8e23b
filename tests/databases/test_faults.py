import pytest

from loantap.databases.backends.faults import asking, explain
from loantap.databases.backends.interface import SourceDownError
from loantap.portfolio.errors import InputError

ODBC = "ODBC emitted an error calling 'SQLExecDirect':\nState: {}, Native error: 1, Message: {}"
LOGIN = (
	"ODBC emitted an error calling 'SQLDriverConnect':\nState: 08001, Native error: 101, "
	'Message: connection to server at "10.0.0.1", port 5432 failed: {}\n'
)


FAULTS = [
	(LOGIN.format('FATAL:  password authentication failed for user "me"'), "the login is refused", "user and password"),
	(
		LOGIN.format('FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "me"'),
		"does not let this machine",
		"pg_hba.conf",
	),
	(LOGIN.format('FATAL:  database "x" does not exist'), "the database is not there", "name of the database"),
	(LOGIN.format("SSL error: certificate verify failed"), "is not trusted", "certificate of the authority"),
	(ODBC.format("42P01", 'relation "x" does not exist'), "the table is not there", "view"),
	(ODBC.format("42703", 'column "x" does not exist'), "a column is not there", "restored"),
	(ODBC.format("42501", "permission denied for table x"), "not allowed", "GRANT SELECT"),
	# As the documentation of Databricks has it; Spark knows no rights on tables.
	(
		"[INSUFFICIENT_PERMISSIONS] No privilege SELECT on table loans. SQLSTATE: 42501",
		"the login is not allowed",
		"GRANT SELECT ON the table",
	),
	(
		"PERMISSION_DENIED: User does not have USE SCHEMA on Schema 'main.events'.",
		"the login is not allowed",
		"GRANT SELECT ON the table",
	),
	(ODBC.format("25006", "cannot execute INSERT"), "may only read", "login of its own"),
	(ODBC.format("53100", "could not extend file"), "disk of the server", "make room"),
	(ODBC.format("22021", "invalid byte sequence"), "not valid in its encoding", "a view"),
	(ODBC.format("22P02", 'invalid input: "Elm St"'), "does not fit its type", "a view"),
	(
		ODBC.format("3F000", "ERROR: no schema has been selected to create in"),
		"has no schema to write into",
		"search_path",
	),
	("[IBM][CLI Driver][DB2/LINUXX8664] SQL0968C  The file system is full.", "disk of the server", "make room"),
	(ODBC.format("IM002", "Data source name not found"), "not installed", "apt-get install"),
	(ODBC.format("XX000", "something else"), "the statement failed", "Check the driver"),
]
PASSING = [
	*map(
		LOGIN.format,
		(
			"Connection refused",
			"timeout expired",
			"FATAL:  the database system is starting up",
			"FATAL:  sorry, too many clients already",
			"server closed the connection unexpectedly",
			"could not translate host name: Temporary failure in name resolution",
		),
	),
	ODBC.format("08S01", "The connection has been lost"),
	ODBC.format("57P01", "terminating connection due to administrator command"),
	ODBC.format("40001", "canceling statement due to conflict with recovery"),
	ODBC.format("HYT00", "Login timeout expired"),
	ODBC.format("53300", "remaining connection slots are reserved"),
]


@pytest.mark.parametrize(("said", "problem", "remedy"), FAULTS)
def test_what_must_be_mended_is_named_with_the_remedy(said, problem, remedy):
	error = explain("warehouse", said, ())

	assert not isinstance(error, SourceDownError)
	assert error.where == "warehouse"
	assert problem in error.problem
	assert remedy in error.remedy


@pytest.mark.parametrize("said", PASSING)
def test_what_may_pass_is_worth_another_attempt(said):
	assert isinstance(explain("warehouse", said, ()), SourceDownError)


@pytest.mark.parametrize("port", ["42501", "22012"])
def test_a_port_is_no_code(port):
	said = LOGIN.format("Connection refused").replace("5432", port)

	assert "the system does not answer" in explain("warehouse", said, ()).problem


@pytest.mark.parametrize(
	"said",
	[
		ODBC.format("22P02", 'ERROR: invalid input syntax for type double precision: "12 Elm St"'),
		'[22P02] ERROR: invalid input syntax for type integer: "12 Elm St"',
		"[CAST_INVALID_INPUT] The value '12 Elm St' of the type \"STRING\" cannot be cast",
		ODBC.format("22P02", 'ERROR: invalid input syntax for type integer: "x"Jo, 12 Elm St"'),
		"[CAST_INVALID_INPUT] The value 'Mary O'Brien, 12 Elm St' of the type \"STRING\" cannot",
	],
)
def test_a_value_of_the_source_is_not_repeated(said):
	problem = explain("warehouse", said, ()).problem

	assert "a value does not fit its type" in problem
	assert "Elm St" not in problem


@pytest.mark.parametrize(
	("said", "told"),
	[
		(ODBC.format("22012", "ERROR: division by zero"), "the statement failed (State: 22012, ERROR: division by zero)"),
		(
			ODBC.format("42P01", 'relation "x" does not exist;\nError while executing the query'),
			'the table is not there (State: 42P01, relation "x" does not exist)',
		),
	],
)
def test_the_drivers_words_are_quoted_in_one_line_without_their_wrapping(said, told):
	assert explain("warehouse", said, ()).problem == told


def test_a_long_text_is_cut_short_after_its_secrets_are_hidden():
	said = ODBC.format("XX000", "s3cret " * 100)

	problem = explain("warehouse", said, ("s3cret",)).problem

	assert "s3c" not in problem
	assert len(problem) < 350


def test_the_drivers_own_error_is_nowhere_in_the_chain():
	def ask():
		raise OSError("Connection refused for Uid=me;Pwd=s3cret")

	with pytest.raises(SourceDownError) as refused:
		asking(ask, OSError, "warehouse", ("s3cret",))

	assert refused.value.__cause__ is None
	assert refused.value.__context__ is None
	assert "s3cret" not in str(refused.value)


def test_what_is_no_error_of_the_driver_is_left_as_it_is():
	def ask():
		raise InputError("here", "wrong", "Mend it")

	with pytest.raises(InputError, match=r"here: wrong\. Mend it"):
		asking(ask, OSError, "warehouse", ())
