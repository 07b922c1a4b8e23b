import pytest

from loantap.model.names import origin_of_model, registered_name


@pytest.mark.parametrize(
  ("namespace", "origin", "name"),
  [
    ("lending", "real", "loantap-lending"),
    ("lending", "simulated", "loantap-lending-demo"),
    ("published_replica", "real", "loantap-published-replica"),
    ("published_replica", "simulated", "loantap-published-replica-demo"),
  ],
)
def test_names_and_origins_go_together(namespace, origin, name):
  assert registered_name(namespace, origin) == name
  assert origin_of_model(name) == origin
