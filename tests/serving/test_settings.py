from pathlib import Path

import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.settings import read_settings


def test_the_defaults_suit_a_project_after_a_run(tmp_path):
    settings = read_settings({}, tmp_path)

    assert settings.project == tmp_path
    assert settings.conf == tmp_path / "conf/base"
    assert settings.audit_url == f"sqlite:///{tmp_path}/data/09_serving/audit.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8_000)


def test_variables_go_before_defaults_and_options_before_variables(tmp_path):
    variables = {
        "LOANTAP_PORT": "9000", "LOANTAP_WORKERS": "3", "LOANTAP_CONF": "/elsewhere",
        "KEDRO_ENV": "odbc", "LOANTAP_PROJECT": "/not/taken", "OTHER": "x",
        "LOANTAP_AUDIT_URL": "sqlite:///mine.db",
    }  # fmt: skip

    settings = read_settings(variables, tmp_path, port=9_001, host=None)

    assert (settings.port, settings.workers) == (9_001, 3)
    assert settings.conf == Path("/elsewhere")
    assert settings.environment == "odbc"
    assert settings.project == tmp_path
    # An embedded log is looked for from the project.
    assert settings.audit_url == f"sqlite:///{tmp_path}/mine.db"


@pytest.mark.parametrize(
    ("name", "value"), [("LOANTAP_PORT", "70000"), ("LOANTAP_THREADS", "many"), ("LOANTAP_WORKERS", "0")]
)
def test_a_value_that_cannot_be_used_is_told_with_its_variable(tmp_path, name, value):
    with pytest.raises(InputError, match=f"{name}={value}: .* Give --"):
        read_settings({name: value}, tmp_path)
