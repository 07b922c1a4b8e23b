"""Which decisions are recent, and which of the months before they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from loantap.model.scoring.profile import TrainingProfile
from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.errors import InputError
from loantap.surveillance.monitoring.options import MonitoringOptions


@dataclass(frozen=True, slots=True)
class WatchedModel:
	"""The champion: name and version as its decisions name it, origin of its loans, what it was trained on."""

	name: str
	origin: str
	profile: TrainingProfile

	@classmethod
	def of(cls, scorer: Scorer) -> WatchedModel:
		"""The model of a scorer; InputError where it was trained before profiles were kept."""
		name, facts = f"{scorer.name} {scorer.version}", scorer.trained.facts
		if facts.profile is None:
			problem = "it does not say what it was trained on, so nothing can be compared with it"
			raise InputError(f"model {name}", problem, "Run `kedro run --pipelines training`: the next version does")
		return cls(name, facts.origin, facts.profile)

	@property
	def features(self) -> list[str]:
		"""The features that it takes."""
		return [each.feature for each in self.profile.features]


@dataclass(frozen=True, slots=True)
class Window:
	"""Times in UTC: earlier decisions begin at `first`, recent ones at `start`; both end at `end`, not included."""

	day: pd.Timestamp
	first: datetime
	start: datetime
	end: datetime

	@classmethod
	def ending(cls, options: MonitoringOptions) -> Window:
		"""The window that ends with the day of the run."""
		day = pd.Timestamp(options.as_of)
		end = day.tz_localize("UTC") + pd.Timedelta(days=1)
		start = end - pd.Timedelta(days=options.window_days)
		return cls(day, start - pd.Timedelta(days=options.earlier_days), start, end)

	def pick_recent(self, decisions: pd.DataFrame) -> pd.DataFrame:
		"""Those decided in the window."""
		return decisions[decisions["decided_at"].ge(self.start) & decisions["decided_at"].lt(self.end)]

	def pick_earlier(self, decisions: pd.DataFrame) -> pd.DataFrame:
		"""Those decided before it."""
		return decisions[decisions["decided_at"].lt(self.start)]

	def describe(self, decisions: pd.DataFrame, watched: WatchedModel) -> dict[str, Any]:
		"""What is watched, for the report."""
		recent = self.pick_recent(decisions)
		return {
			"model": watched.name,
			"origin": watched.origin,
			"window": {"first": self.start.date().isoformat(), "last": self.day.date().isoformat()},
			"n": len(recent),
			"n_earlier": len(decisions) - len(recent),
			"n_by_other_models": int(recent["model"].ne(watched.name).sum()),
			"n_without_application": int((~recent["is_readable"]).sum()),
		}
