import csv
import io

from loantap.serving.api.service_schemas import Fields
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


def test_wrong_columns_are_one_message(api):
  fields = Fields.model_validate(api.get("/v1/schema/application").json).fields
  needed = [one for one in fields if one.name in {"loan_amnt", "dti"}]

  problem = find_problem(",".join(f"x{n}" for n in range(27)) + "\n1", needed, 99)

  assert problem.startswith("These columns are missing: loan_amnt (Loan amount), dti (")
