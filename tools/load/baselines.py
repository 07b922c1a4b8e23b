"""What the API is held against, as WSGI applications under the same server."""

import json
from typing import Any, Final

import pandas as pd
from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, StrictFloat, StrictInt, StrictStr, create_model
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from loantap.portfolio.dictionary import CHARGED_OFF, Column, Kind, portfolio_columns
from tools.benchmarks.configured import simulate_loans
from tools.load.applications import SCORE_PATH

_LOANS: Final = 20_000
# Neither helps to tell outcomes apart, or each value occurs once.
_LEFT_OUT: Final = ("emp_title", "title", "issue_d", "earliest_cr_line", "address", "loan_status")
_CONSTANT: Final = json.dumps({"decision": "refer", "reasons": ["." * 160] * 4}).encode()


def make_constant() -> Flask:
    """A Flask route: checks the body with pydantic, answers a constant of a decision's length."""
    app = _make_app()
    application = _make_body_model()

    @app.post(SCORE_PATH)
    def answer() -> Response:
        application.model_validate_json(request.get_data(cache=False))
        return Response(_CONSTANT, mimetype="application/json")

    return app


def make_published() -> Flask:
    """Scores one row as the case study does: a pandas frame through a scikit-learn pipeline."""
    app = _make_app()
    pipeline = _fit_published()

    @app.post(SCORE_PATH)
    def answer() -> dict[str, Any]:
        row = pd.DataFrame([request.get_json()])
        return {"probability_of_default": float(pipeline.predict_proba(row)[0, 1])}

    return app


def _make_body_model() -> type[BaseModel]:
    number = StrictFloat | StrictInt
    fields: dict[str, Any] = {
        str(column.source_name): ((number if _is_number(column) else StrictStr) | None, None)
        for column in portfolio_columns()
        if column.name != "loan_status"
    }
    fields["application_id"] = (StrictStr | None, None)
    forbidden = ConfigDict(extra="forbid", allow_inf_nan=False)
    return create_model("Application", __config__=forbidden, **fields)


def _fit_published() -> Pipeline:
    loans = simulate_loans(_LOANS, seed=1)
    columns = [c for c in portfolio_columns() if c.source_name not in _LEFT_OUT]
    numbers = [c.source_name for c in columns if _is_number(c)]
    categories = [c.source_name for c in columns if not _is_number(c)]
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), MinMaxScaler()), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore"), categories),
        ]
    )
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=1000))
    return pipeline.fit(loans, loans["loan_status"] == CHARGED_OFF)


def _is_number(column: Column) -> bool:
    return column.kind in (Kind.NUMBER, Kind.COUNT) and not column.written


def _make_app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/readyz", view_func=lambda: Response(b"ok"))
    return app
