"""The policy lab of the shipped configuration."""

from typing import Any

from loantap.policy.options import LabOptions
from tests.policy.shipped import read_shipped


def make_lab(**changed: Any) -> LabOptions:
  return LabOptions.model_validate(read_shipped("insights")["lab"] | changed)
