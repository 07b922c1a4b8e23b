"""Pandera schemas of the tables between features and metrics."""

import pandera.pandas as pa

from loantap.features.definitions import CATEGORICAL, FEATURE_SETS, NUMERIC
from loantap.model.training.splits import Split

_RATE = pa.Check.in_range(0, 1)
_LOAN_ID = {"loan_id": pa.Column("str")}
_TARGET = {"is_charged_off": pa.Column("int8", pa.Check.isin([0, 1]))}
_SPLIT = {
	"split": pa.Column("str", pa.Check.isin([s.value for s in Split])),
	"known_from": pa.Column("datetime64[s]"),
	"judged_at": pa.Column("datetime64[s]", nullable=True),
}


def _feature_columns(names: tuple[str, ...]) -> dict[str, pa.Column]:
	# Numbers may be missing, to be imputed by the model; text never is: `missing` is written out.
	numeric = {n: pa.Column("float64", nullable=True) for n in names if n in NUMERIC}
	return numeric | {n: pa.Column("str") for n in names if n in CATEGORICAL}


def _table(name: str, columns: dict[str, pa.Column], unique: list[str]) -> pa.DataFrameSchema:
	return pa.DataFrameSchema(columns, strict=True, unique=unique, name=name)


# One row per loan.
FEATURES = _table("features", _LOAN_ID | _feature_columns((*NUMERIC, *CATEGORICAL)), ["loan_id"])
SPLITS = _table("splits", _LOAN_ID | _SPLIT, ["loan_id"])
MODEL_INPUT_BENCHMARK, MODEL_INPUT_LENDING, MODEL_INPUT_APPLICATION = (
	_table(
		f"{name}.model_input", _LOAN_ID | _TARGET | _SPLIT | _feature_columns(FEATURE_SETS[name].features), ["loan_id"]
	)
	for name in ("benchmark", "lending", "application")
)

_PREDICTED = (
	_LOAN_ID
	| _TARGET
	| {
		"fold": pa.Column("int64", pa.Check.ge(-1)),
		"probability_of_default": pa.Column("float64", _RATE),
		"threshold": pa.Column("float64", _RATE),
		"declined": pa.Column("bool"),
	}
)

# One row per training loan.
OUT_OF_FOLD = _table("out_of_fold", _PREDICTED | {"log_odds": pa.Column("float64")}, ["loan_id"])

# One row per loan and sample it was predicted in.
PREDICTIONS = _table(
	"predictions",
	_PREDICTED | {"sample": pa.Column("str", pa.Check.isin(["cv", "test", "out_of_time"]))},
	["loan_id", "sample"],
)

# One row per candidate of the grid.
CANDIDATES = pa.DataFrameSchema(
	{
		"candidate": pa.Column("str", unique=True),
		"mean_f2": pa.Column("float64", _RATE),
		"mean_log_loss": pa.Column("float64", pa.Check.ge(0)),
		"mean_roc_auc": pa.Column("float64", _RATE),
		"converged": pa.Column("bool"),
		"stopped_at": pa.Column("str"),
		"within_one_standard_error": pa.Column("bool"),
		"chosen": pa.Column("bool"),
	},
	checks=pa.Check(lambda table: table["chosen"].sum() == 1, error="exactly one is chosen"),
	name="candidates",
)

# One row per encoded column.
COEFFICIENTS = _table(
	"coefficients",
	{
		"feature": pa.Column("str"),
		"coefficient": pa.Column("float64"),
		"odds_ratio": pa.Column("float64", pa.Check.gt(0)),
	},
	["feature"],
)

# One row per sample and point of the curve.
CURVE_ROC, CURVE_PRECISION_RECALL = (
	pa.DataFrameSchema(
		{"sample": pa.Column("str"), x: pa.Column("float64", _RATE), y: pa.Column("float64", _RATE)}, strict=True, name=name
	)
	for name, x, y in (
		("roc_curve", "false_positive_rate", "true_positive_rate"),
		("precision_recall_curve", "recall", "precision"),
	)
)

# One row per sample and equal-count bin of the PD.
RELIABILITY = _table(
	"reliability",
	{
		"sample": pa.Column("str"),
		"mean_pd": pa.Column("float64", _RATE),
		"observed_rate": pa.Column("float64", _RATE),
		"low": pa.Column("float64", _RATE),
		"high": pa.Column("float64", _RATE),
		"loans": pa.Column("int64", pa.Check.gt(0)),
	},
	[],
)

# One row per threshold.
THRESHOLDS = _table(
	"thresholds",
	{"threshold": pa.Column("float64", _RATE), "n": pa.Column("int64", pa.Check.gt(0))}
	| {
		f"{name}{bound}": pa.Column("float64", _RATE)
		for name in ("f2", "precision", "recall", "approval_rate", "default_rate_approved")
		for bound in ("", "_low", "_high")
	}
	| {"f2_decline_all": pa.Column("float64", _RATE)},
	["threshold"],
)

# One row per attribute of each feature, after the base points.
SCORECARD = _table(
	"scorecard",
	{"feature": pa.Column("str"), "attribute": pa.Column("str")}
	| {name: pa.Column("float64", nullable=True) for name in ("low", "high", "anchor")}
	| {name: pa.Column("float64") for name in ("points", "points_per_unit")},
	["feature", "attribute"],
)
