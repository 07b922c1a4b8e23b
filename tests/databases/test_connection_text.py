import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.databases.backends import make_backend
from loantap.databases.backends.connection_text import find_secrets, parse_odbc, redact, set_odbc
from loantap.portfolio.errors import InputError

TEXT = "Driver={PostgreSQL Unicode}; Server=db;Port=5432 ;Uid=me;Pwd={a;b}}c};SSLmode=require"
SECRET = "s3cret"  # noqa: S105 (made up)
DB2_URL = f"db2+ibm_db://reader:{SECRET}@db.example:50001/APPSTRM"
DATABRICKS_URL = f"databricks://token:{SECRET}@x.example?http_path=/sql/1.0/warehouses/abc"


def test_an_odbc_connection_string_is_read_with_braces_and_blanks():
	assert parse_odbc(TEXT) == {
		"driver": "PostgreSQL Unicode",
		"server": "db",
		"port": "5432",
		"uid": "me",
		"pwd": "a;b}c",
		"sslmode": "require",
	}


def test_a_value_takes_the_place_of_the_one_that_was_given():
	text = set_odbc(f"{TEXT};usedeclarefetch=1", UseDeclareFetch="0", Port="1")

	assert parse_odbc(text) == parse_odbc(TEXT) | {"port": "1", "usedeclarefetch": "0"}
	assert text.lower().count("usedeclarefetch") == 1


@pytest.mark.parametrize("key", ["Pwd", "PASSWORD", "Token", "Auth_AccessToken", "SSLKeyPassword"])
@pytest.mark.parametrize(
	("value", "repeated"),
	[
		("s3cret", "s3cret"),
		("{s3cret}", "{s3cret}"),
		("{s3;cr}}et}", "s3;cr}et"),
		("{s3;cr}}et}", "s3;cr}}et"),
		("{s3 cr/et}", "s3%20cr%2Fet"),
	],
)
def test_a_driver_that_repeats_a_secret_of_an_odbc_string_is_not_quoted(key, value, repeated):
	secrets = find_secrets(f"Driver={{X}};Server=db;{key}={value};Port=1")

	assert redact(f"login failed for <{repeated}> at db", secrets) == "login failed for <***> at db"


@pytest.mark.parametrize("repeated", ["p@ss w:rd/1", "p%40ss%20w%3Ard%2F1", "p%40ss+w%3Ard%2F1"])
def test_nor_is_one_that_repeats_a_secret_of_a_url(repeated):
	secrets = find_secrets("db2+ibm_db://me:p%40ss%20w%3Ard%2F1@host:50000/DB?Security=SSL")

	assert redact(f"cannot log in with {repeated}!", secrets) == "cannot log in with ***!"


@pytest.mark.parametrize(
	"url",
	[
		"db2+ibm_db://me:s3/cr?et@host:1/DB",
		"databricks://token:s3/cr?et@host?http_path=/a",
		"db2+ibm_db://me:other@host:1/DB?sslKeystorePassword=s3%2Fcr%3Fet",
		"db2+ibm_db://me:other?t=x@host:1/DB?pwd=s3%2Fcr%3Fet",
		"databricks://host?access_token=s3%2Fcr%3Fet&http_path=/a@b",
	],
)
def test_a_password_is_found_also_where_it_should_have_been_quoted(url):
	assert redact("said s3/cr?et", find_secrets(url)) == "said ***"


@pytest.mark.parametrize("password", ["a:b", "b:"])
def test_a_password_with_a_colon_is_found_whole(password):
	assert redact(f"said {password}", find_secrets(f"db2+ibm_db://me:{password}@host:1/DB")) == "said ***"


@pytest.mark.parametrize("said", ["UID=me;PWD=s3cret;HOST=x", "password='s3cret'", "token = s3cret", "Pwd={s3cret};"])
def test_what_a_message_itself_calls_a_secret_is_never_shown(said):
	assert "s3cret" not in redact(said, ())
	assert "***" in redact(said, ())


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1))
def test_any_password_in_braces_is_read_and_found(password):
	text = f"Driver={{X}};Pwd={{{password.replace('}', '}}')}}};Server=db"

	assert parse_odbc(text)["pwd"] == password
	assert parse_odbc(text)["server"] == "db"
	assert redact(f"\0{password}\0", find_secrets(text)) == "\0***\0"


def make(url):
	return make_backend("appstream", {"connection": url})


def refuse(url):
	with pytest.raises(InputError) as refused:
		make(url)
	error = refused.value
	while error is not None:
		assert SECRET not in f"{error!r} {error}"
		error = error.__cause__ or error.__context__
	return str(refused.value)


@pytest.mark.parametrize("url", [DB2_URL, DATABRICKS_URL])
def test_a_secret_with_the_line_end_of_its_file_is_refused(url):
	assert "cannot be printed" in refuse(url.replace(SECRET, f"{SECRET}%0A"))


@pytest.mark.parametrize("url", [DB2_URL, DATABRICKS_URL])
@pytest.mark.parametrize("sign", ["@", "@x/", "@x?y="])
def test_a_secret_with_an_at_sign_that_is_not_encoded_is_refused(url, sign):
	"""Its end would be taken for the host, and named in a message."""
	refusal = refuse(url.replace(SECRET, f"{SECRET}{sign}{SECRET}"))

	assert "more than one @" in refusal
	assert "%40" in refusal


@pytest.mark.parametrize("url", [DB2_URL, DATABRICKS_URL])
def test_no_repr_tells_the_secret(url):
	backend = make(url)

	shown = [repr(backend), *(repr(v) for k, v in vars(backend).items() if "address" in k)]
	assert not [text for text in shown if SECRET in text]


def test_the_url_becomes_ibms_connection_string():
	backend = make(f"{DB2_URL}?Authentication=SERVER&Security=SSL&TxnIsolation=8")

	assert backend._connection_string == (
		"Database=APPSTRM;Hostname=db.example;Port=50001;Protocol=TCPIP;ConnectTimeout=30;"
		f"Authentication=SERVER;Security=SSL;TxnIsolation=8;Uid=reader;Pwd={SECRET};"
	)


def test_the_port_is_db2s_own_when_none_is_given():
	assert "Port=50000;" in make(DB2_URL.replace(":50001", ""))._connection_string


@pytest.mark.parametrize(
	("url", "said"),
	[
		(DB2_URL.replace("reader:", ":"), "has no user"),
		(DB2_URL.replace(f":{SECRET}", ""), "has no password"),
		(DB2_URL.removesuffix("/APPSTRM"), "names no database"),
		(DB2_URL.replace("50001", "port"), "is not understood"),
		(DB2_URL.replace(SECRET, f"{SECRET}%3BHostname=other"), "Pwd in the connection URL"),
		(f"{DB2_URL}?CurrentSchema=a%3BUid=b", "CurrentSchema in the connection URL"),
	],
)
def test_what_is_missing_or_unfit_is_named(url, said):
	assert said in refuse(url)


@pytest.mark.parametrize(
	("url", "said"),
	[
		(DATABRICKS_URL.partition("?")[0], "has no http_path"),
		(DATABRICKS_URL.replace(f":{SECRET}", ""), "has no password"),
		(f"{DATABRICKS_URL}&htttp_path=/x&shema=a", "options htttp_path, shema"),
	],
)
def test_what_is_missing_or_unknown_is_named(url, said):
	assert said in refuse(url)


def test_the_port_is_that_of_https_when_none_is_given():
	assert make(DATABRICKS_URL)._address.port == 443
