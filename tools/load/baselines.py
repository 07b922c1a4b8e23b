"""What the API is held against, as WSGI applications under the same server.

`tools.load.baselines:make_constant` is a Flask route that checks the same body with pydantic and
answers a constant of the length of a decision. `tools.load.baselines:make_published` scores one row
as the published case study does: a pandas frame of one row through a fitted scikit-learn pipeline.
"""

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
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from tools.load.applications import SCORE_PATH

_LOANS: Final = 20_000
_NUMBERS: Final = (Kind.NUMBER, Kind.COUNT)
# Neither helps to tell outcomes apart, or each value occurs once.
_LEFT_OUT: Final = ("emp_title", "title", "issue_d", "earliest_cr_line", "address", "loan_status")
_CONSTANT: Final = json.dumps(
    {
        "id": "dec_01KB5V0Q8E3Z6J9N4W2R7T1X5C",
        "at": "2026-11-28T21:40:00.123456Z",
        "application_id": "load-1",
        "probability_of_default": 0.1234567890123456,
        "score": 640,
        "decision": "refer",
        "reasons": [
            "The debt-to-income ratio of 31.2% is high; at or below 20.4% it would count less",
            "The interest rate of 17.9% is high; at or below 13.1% it would count less",
            "Revolving utilisation of 88.0% is high; at or below 54.0% it would count less",
            "The expected net present value of 21.4 is near 0",
        ],
        "expected_npv": 21.4,
        "model": {"name": "loantap-lending-demo", "version": "1", "origin": "simulated"},
        "policy": {"version": "npv 2026-11", "digest": "189e91e62ae3"},
        "simulated": True,
        "case": "open",
    }
).encode()


def make_constant() -> Flask:
    """Checks the body, answers a constant."""
    app = Flask(__name__)
    application = make_body_model()

    @app.post(SCORE_PATH)
    def answer() -> Response:
        application.model_validate_json(request.get_data(cache=False))
        return Response(_CONSTANT, mimetype="application/json")

    return _add_health(app)


def make_published() -> Flask:
    """Scores a frame of one row."""
    app = Flask(__name__)
    pipeline = fit_published()

    @app.post(SCORE_PATH)
    def answer() -> dict[str, Any]:
        row = pd.DataFrame([request.get_json()])
        return {"probability_of_default": float(pipeline.predict_proba(row)[0, 1])}

    return _add_health(app)


def make_body_model() -> type[BaseModel]:
    """One application: the LoanTap columns, strictly typed, and no others."""
    fields: dict[str, Any] = {
        str(column.source_name): (_find_type(column) | None, None)
        for column in portfolio_columns()
        if column.name != "loan_status"
    }
    forbidden = ConfigDict(extra="forbid", allow_inf_nan=False)
    return create_model(
        "Application", __config__=forbidden, application_id=(StrictStr | None, None), **fields
    )


def fit_published() -> Pipeline:
    """Impute, scale, encode one-hot, logistic regression, on simulated loans."""
    loans = render(simulate_portfolio(_LOANS, seed=1).portfolio, portfolio_columns())
    columns = [c for c in portfolio_columns() if c.source_name not in _LEFT_OUT]
    numbers = [c.source_name for c in columns if c.kind in _NUMBERS and not c.written]
    categories = [c.source_name for c in columns if c.source_name not in numbers]
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), MinMaxScaler()), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore"), categories),
        ]
    )
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=1000))
    return pipeline.fit(loans, loans["loan_status"] == CHARGED_OFF)


def _find_type(column: Column) -> Any:
    """Of its values in JSON; the term is written with its unit."""
    return StrictStr if column.written or column.kind not in _NUMBERS else StrictFloat | StrictInt


def _add_health(app: Flask) -> Flask:
    @app.get("/readyz")
    def ready() -> Response:
        return Response(b"ok")

    return app
