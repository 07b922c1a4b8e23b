import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.databases.backends.connection_text import find_secrets, parse_odbc, redact, set_odbc

TEXT = "Driver={PostgreSQL Unicode}; Server=db;Port=5432 ;Uid=me;Pwd={a;b}}c};SSLmode=require"


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
