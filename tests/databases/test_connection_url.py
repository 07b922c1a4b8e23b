import pytest

from loantap.databases.backends import make_backend
from loantap.portfolio.errors import InputError

SECRET = "s3cret"  # noqa: S105 (made up)
DB2_URL = f"db2+ibm_db://reader:{SECRET}@db.example:50001/APPSTRM"
DATABRICKS_URL = f"databricks://token:{SECRET}@x.example?http_path=/sql/1.0/warehouses/abc"


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
