"""What each process of the API loads."""

import ctypes
import gc
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from apiflask import APIFlask
from prometheus_client import multiprocess

from loantap.registry.commands import find_address
from loantap.registry.connection import use_registry
from loantap.serving.api.app import make_app
from loantap.serving.api.doors import Doors
from loantap.serving.api.memory import loading
from loantap.serving.api.metrics import Metrics
from loantap.serving.api.office import Office
from loantap.serving.audit.store import AuditStore
from loantap.serving.cases.cases import CaseQueue
from loantap.serving.configured import read_configured
from loantap.serving.desk.desk import Desk
from loantap.serving.help.offers import HelpOffers
from loantap.serving.help.watchlist import WatchlistFiles
from loantap.serving.keys.keys import Keys
from loantap.serving.policies.book import PolicyBook
from loantap.serving.settings import ServingSettings, read_settings

# Of malloc.h.
_M_ARENA_MAX = -8
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
# Objects made, then younger collections, before a collection.
_THRESHOLDS = (50_000, 20, 20)
_COUNTED = re.compile(r"_(\d+)\.db$")


def load() -> APIFlask:
  """The application of one process, called by the server.

  Raises:
      InputError: the parameter files or the audit log cannot be used.
  """
  _share_heaps()
  with loading():
    app = make_app(open_office(read_settings()))
  # A batch makes a million objects, none of them in a cycle.
  gc.set_threshold(*_THRESHOLDS)
  return app


def _share_heaps() -> None:
  """Two heaps for many threads (glibc), or each batch would leave another one large."""
  library = ctypes.CDLL(None)
  if hasattr(library, "mallopt"):
    library.mallopt(_M_ARENA_MAX, 2)


def open_office(settings: ServingSettings) -> Office:
  """What the routes work with; looks for a model first.

  Raises:
      InputError: the parameter files or the audit log cannot be used.
  """
  use_registry(find_address(settings.project, settings.environment))
  office = make_office(settings)
  office.desk.open()
  return office


def make_office(settings: ServingSettings) -> Office:
  """What the routes work with, before a model is looked for; raises as `open_office`."""
  configured = read_configured(settings.conf, settings.recommendations, datetime.now(UTC).date())
  store = AuditStore.open(settings.audit_url)
  metrics = Metrics(are_shared=_forget_dead_processes())
  book = PolicyBook(store)
  desk = Desk(book, configured, settings.refresh_seconds, metrics.count_failure, metrics.show_model)
  doors = Doors(Keys(store), metrics, settings.workers)
  watch, offers = WatchlistFiles(settings.reports), HelpOffers(store)
  return Office(settings, desk, store, doors, metrics, book, CaseQueue(store), watch, offers)


def _forget_dead_processes() -> bool:
  """Take dead processes' gauges out of the sums; False if nothing is shared."""
  folder = os.environ.get(_SHARED)
  if not folder:
    return False
  found = (_COUNTED.search(path.name) for path in Path(folder).glob("*.db"))
  for pid in {int(match[1]) for match in found if match}:
    try:
      os.kill(pid, 0)
    except ProcessLookupError:
      multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
  return True
