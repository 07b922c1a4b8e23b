import sys

import pytest

from loantap.datasets.spark.session import open_session
from loantap.portfolio.errors import InputError


def test_the_session_that_is_there_is_used(spark):
    assert open_session({"spark.master": "local[7]"}) is spark
    assert spark.conf.get("spark.master") == "local[2]"


def test_spark_on_this_machine_listens_to_this_machine_only(spark):
    assert spark.conf.get("spark.driver.bindAddress") == "127.0.0.1"
    assert spark.conf.get("spark.ui.enabled") == "false"


def test_without_pyspark_the_message_says_how_to_get_it(monkeypatch):
    for name in ("pyspark.errors", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(InputError, match=r"pip install 'loantap\[spark\]'.*Java 17"):
        open_session({})
