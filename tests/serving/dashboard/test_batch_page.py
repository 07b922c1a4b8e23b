"""The Batch page: what a session sends twice is one batch; two sessions send two."""

import csv
import io

import pyarrow as pa

from loantap.reporting.formatting import money, percent
from loantap.serving.dashboard.answers import FormField
from loantap.serving.dashboard.pages.batch import find_problem
from tests.serving.dashboard.screen import look, press, read_all


def _upload(app, content):
    return look(app.get("file_uploader")[0].upload("a.csv", content, "text/csv").run())


def _write_csv(api):
    example = api.get("/v1/schema/application").json["example"]
    text = io.StringIO()
    writer = csv.DictWriter(text, example)
    writer.writeheader()
    writer.writerows([example, {**example, "annual_inc": "-5"}])
    return text.getvalue().encode()


def _count(api):
    return len(api.get("/v1/decisions").json["items"])


def test_two_sessions_are_never_answered_with_each_other_s_decisions(api, screen):
    content = _write_csv(api)
    first = _upload(screen.open("batch", api.key), content)
    first = press(press(first, "Decide"), "Decide")
    assert _count(api) == 1, "the same file in the same session is one batch"

    press(_upload(screen.open("batch", api.key), content), "Decide")

    assert _count(api) == 2
    assert "Rows with errors" in read_all(first)


_FIELDS = [
    FormField(name="loan_amnt", label="Loan amount", meaning="x"),
    FormField(name="dti", label="DTI", meaning="y"),
]


def test_figures_are_worded_as_on_other_pages(api, screen):
    page = press(_upload(screen.open("batch", api.key), _write_csv(api)), "Decide")
    [kept] = api.get("/v1/decisions").json["items"]

    styled = page.dataframe[0].proto.arrow_data.styler
    shown = pa.ipc.open_stream(styled.display_values).read_pandas()

    assert list(page.dataframe[0].value.columns) == [
        "Row", "Application", "Decision", "PD", "Score", "Expected NPV", "Reasons", "Id",
    ]  # fmt: skip
    assert list(shown["Expected NPV"]) == [money(kept["expected_npv"]), "\N{EN DASH}"]
    assert list(shown["PD"]) == [percent(kept["probability_of_default"]), "\N{EN DASH}"]


def test_wrong_columns_are_one_message():
    problem = find_problem(",".join(f"x{n}" for n in range(27)) + "\n1", _FIELDS, 99)

    assert problem.startswith("These columns are missing: loan_amnt (Loan amount), dti (DTI).")
