"""Tasks done by a Spark cluster, one a core at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import uuid4

import pandas as pd
from kedro.validation.exceptions import DataValidationError

from loantap.tables.progress import Progress
from loantap.tables.tasks import Tasks

if TYPE_CHECKING:
  from pyspark.sql import Row, SparkSession

_DONE = "task long, rows long, problem string"
_POLL_SECONDS = 0.5


def run_tasks(tasks: Tasks, session: SparkSession) -> None:
  """Have all parts of a table made, and tell how far it is.

  Raises:
      DataValidationError: what one of the tasks made is not valid.
      RuntimeError: not every row came out.
  """
  tag = f"loantap-{uuid4().hex}"
  total = sum(rows.rows for rows in tasks.slices)
  progress = Progress("", total, "rows")
  with ThreadPoolExecutor(1) as pool:
    job = pool.submit(_collect, tasks, session, tag)
    try:
      _watch(job, tasks, total, progress)
    except BaseException:
      session.sparkContext.cancelJobsWithTag(tag)
      raise
  _check(job.result(), tasks, total)


def _collect(tasks: Tasks, session: SparkSession, tag: str) -> list[Row]:
  def do(numbers: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for frame in numbers:
      yield pd.DataFrame([asdict(tasks.do(int(number))) for number in frame["id"]])

  session.sparkContext.addJobTag(tag)
  numbers = session.range(0, len(tasks), 1, len(tasks))
  done: list[Row] = numbers.mapInPandas(do, _DONE).collect()
  return done


def _watch(job: Future[list[Row]], tasks: Tasks, total: int, progress: Progress) -> None:
  told = -1
  while not wait([job], _POLL_SECONDS).done:
    if (rows := tasks.count_rows()) > told:
      progress.tell(rows)
      told = rows
  if job.exception() is None:
    progress.tell(total)


def _check(done: list[Row], tasks: Tasks, total: int) -> None:
  problems = [f"{tasks.part(row.task).name}: {row.problem}" for row in done if row.problem]
  if problems:
    raise DataValidationError(
      f"{len(problems)} of {len(tasks)} parts are not valid; the first, {problems[0]}",
      mode="save",
      validator=tasks.schema,
    )
  written = sum(row.rows for row in done)
  if written != total:
    raise RuntimeError(f"{written:,} rows were written of {total:,}")
