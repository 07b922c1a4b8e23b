"""What a source table must look like: the data dictionary, held against the table itself."""

import pyarrow as pa

from loantap.portfolio.dictionary import Family, Table, contract_of
from loantap.portfolio.errors import InputError


def check_contract(where: str, table: Table, schema: pa.Schema) -> frozenset[str]:
  """Hold a table's columns against the dictionary; the names of columns that it does not know.

  Names are compared in lower case.

  Raises:
      InputError: a column is missing, or holds something else than it should.
  """
  contract = contract_of(table)
  held = {field.name.lower(): field.type for field in schema}
  missing = sorted(contract.keys() - held.keys())
  if missing:
    raise InputError(
      where,
      f"column {', '.join(missing)} is missing",
      "Have it restored at the source, or read a view that has it under this name",
    )
  retyped = [
    f"column {name} is held as {held[name]}, not as {' or '.join(families)}"
    for name, families in contract.items()
    if _family_of(held[name]) not in families
  ]
  if retyped:
    raise InputError(where, "; ".join(retyped), "Have the type restored at the source, or read a view that casts it")
  return frozenset(held.keys() - contract.keys())


def _family_of(kind: pa.DataType) -> Family | None:
  if pa.types.is_string(kind) or pa.types.is_large_string(kind):
    return Family.TEXT
  if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
    return Family.NUMBER
  if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
    return Family.TIME
  return None
