"""What the API is held against, as WSGI applications under the same server."""

import json
from collections.abc import Callable
from typing import Any, Final

import pandas as pd
from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, StrictFloat, StrictInt, StrictStr, create_model
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from loantap.portfolio.dictionary import CHARGED_OFF, Column, Kind, portfolio_columns
from tools.benchmarks.configured import simulate_loans
from tools.load.applications import SCORE_PATH

# Neither helps to tell outcomes apart, or each value occurs once.
_LEFT_OUT: Final = ("emp_title", "title", "issue_d", "earliest_cr_line", "address", "loan_status")


def make_constant() -> Flask:
	"""A Flask route: checks the body with pydantic, answers a constant of a decision's length."""
	application = _make_body_model()
	constant = json.dumps({"decision": "refer", "reasons": ["." * 160] * 4}).encode()

	def answer() -> Response:
		application.model_validate_json(request.get_data(cache=False))
		return Response(constant, mimetype="application/json")

	return _make_app(answer)


def make_published() -> Flask:
	"""Scores one row as the case study does: a pandas frame through a scikit-learn pipeline."""
	pipeline = _fit_published()

	def answer() -> dict[str, Any]:
		row = pd.DataFrame([request.get_json()])
		return {"probability_of_default": float(pipeline.predict_proba(row)[0, 1])}

	return _make_app(answer)


def _make_body_model() -> type[BaseModel]:
	columns = (column for column in portfolio_columns() if column.name != "loan_status")
	kinds = {str(c.source_name): StrictFloat | StrictInt if _is_number(c) else StrictStr for c in columns}
	fields: dict[str, Any] = {name: (kind | None, None) for name, kind in kinds.items()}
	forbidden = ConfigDict(extra="forbid", allow_inf_nan=False)
	return create_model("Application", __config__=forbidden, application_id=(StrictStr | None, None), **fields)


def _fit_published() -> Pipeline:
	loans = simulate_loans(20_000, seed=1)
	columns = [column for column in portfolio_columns() if column.source_name not in _LEFT_OUT]
	numbers = [column.source_name for column in columns if _is_number(column)]
	categories = [column.source_name for column in columns if not _is_number(column)]
	prepare = make_column_transformer(
		(make_pipeline(SimpleImputer(), MinMaxScaler()), numbers), (OneHotEncoder(handle_unknown="ignore"), categories)
	)
	pipeline = make_pipeline(prepare, LogisticRegression(max_iter=1000))
	return pipeline.fit(loans, loans["loan_status"] == CHARGED_OFF)


def _is_number(column: Column) -> bool:
	return column.kind in (Kind.NUMBER, Kind.COUNT) and not column.written


def _make_app(answer: Callable[[], Any]) -> Flask:
	app = Flask(__name__)
	app.add_url_rule("/readyz", view_func=lambda: Response(b"ok"))
	app.add_url_rule(SCORE_PATH, view_func=answer, methods=["POST"])
	return app
