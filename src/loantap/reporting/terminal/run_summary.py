"""What a run says when it has ended, what it could not score, and what it found of the systems."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Column
from rich.table import Table as Grid
from rich.text import Text

from loantap.portfolio.dictionary import SIMULATED, Table
from loantap.reporting.terminal.details import NOT_FOR_LENDING, OF_ALL_MODELS, FirstThatFits, RunResults, list_details

_SHOWN_CAUSES = 5


def tell_account(account: Mapping[str, Any]) -> list[str]:
	"""Lines for the end of a run, from `scoring_account.json`; none where all is well."""
	has_ids = account["rows"] and account["has_ids"]
	return [*tell_invalid(account), *(_tell_ids(account) if has_ids else [])]


def tell_invalid(account: Mapping[str, Any]) -> list[str]:
	"""How many rows could not be scored, and why; none where all could."""
	if not account["rows"]:
		return ["0 applications: the file has a header and no rows"]
	lines = []
	if account["invalid"]:
		lines.append(
			f"{account['invalid']:,} of {account['rows']:,} could not be scored ({account['invalid_share']:.1%}). "
			"Reasons, each with its rows (counted from 1) and what is wrong with the first:"
		)
		causes = account["causes"]
		lines += [f"  {_say_rows(cause)}: {cause['example']}" for cause in causes[:_SHOWN_CAUSES]]
		others = sum(cause["rows"] for cause in causes[_SHOWN_CAUSES:])
		lines += [f"  {others:,} for other reasons"] if others else []
	return lines


def _tell_ids(account: Mapping[str, Any]) -> list[str]:
	said = {
		"without_id": "without an application_id, not written back",
		"repeated": "with an application_id of an earlier row: the last is written back",
		"alike": "with an application_id that differs from another only in capitals, zeros or "
		"dashes: treated as a different one",
	}
	return [f"{_say_rows(account[name])} {text}" for name, text in said.items() if account[name]["rows"]]


def _say_rows(counted: Mapping[str, Any]) -> str:
	rows, first = counted["rows"], [f"{row:,}" for row in counted["first_rows"]]
	if rows == 1:
		return f"1 (row {first[0]})"
	return f"{rows:,} (rows {', '.join(first)}{', ...' if rows > len(first) else ''})"


_STYLES = MappingProxyType({"fine": "green", "note": "yellow", "fault": "bold red"})


def tabulate_findings(findings: pd.DataFrame) -> RenderableType:
	"""One row per check: `where`, `check`, `outcome`, `found`, `remedy`."""
	return FirstThatFits(_tabulate(findings), _stack(findings))


def _tabulate(findings: pd.DataFrame) -> Grid:
	# What does not fit is broken: a path that is cut off helps nobody.
	table = Grid(
		*(Column(name, overflow="fold") for name in ("System", "Check", "Result", "Found")),
		Column("What to do", overflow="fold"),
		title="Systems",
		title_justify="left",
	)
	for where, rows in findings.groupby("where", sort=False):
		shown = str(where)
		for row in rows.itertuples():
			# As text: what a driver says may have brackets, which Rich would read as markup.
			table.add_row(Text(shown), Text(str(row.check)), _style(row.outcome), Text(str(row.found)), Text(str(row.remedy)))
			shown = ""
		table.add_section()
	return table


def _stack(findings: pd.DataFrame) -> Group:
	parts: list[RenderableType] = []
	for where, rows in findings.groupby("where", sort=False):
		table = Grid.grid(Column(overflow="fold"), Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
		for row in rows.itertuples():
			told = "\n".join(filter(None, [str(row.found), str(row.remedy)]))
			table.add_row(Text(f"  {row.check}"), _style(row.outcome), Text(told))
		parts += [Text(str(where), style="bold"), table]
	return Group(*parts)


def _style(outcome: object) -> Text:
	return Text(str(outcome), style=_STYLES[str(outcome)])


_SIMULATED_DATA = "SIMULATED DATA"
_SHOWN_REPORTS = 3


def summarise_run(results: RunResults, *, full: bool = False) -> RenderableType:
	"""One line each for data, champion, external sample, scores, offers, reports, next command, where there is one.

	With `full` the details come before them.
	"""
	table = Grid.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
	for label, said in _list_lines(results, full=full):
		table.add_row(label, said if isinstance(said, Text) else Text(said))
	return Group(*(list_details(results) if full else []), *([table] if table.rows else []))


def _list_lines(results: RunResults, *, full: bool) -> Iterator[tuple[str, str | Text]]:
	if results.reconciliation is not None:
		yield "Data", _tell_data(results.reconciliation)
	if target := (results.metrics or {}).get("target"):
		hidden = f". No champion and no insights: {target['obstacle']}" if target["obstacle"] else ""
		yield "Target", target["words"] + hidden
	if model := _choose_model(results):
		yield "Champion" if model in results.promotions else "Model", _tell_model(model, results)
	if external := results.external():
		yield "External", _tell_external(external)
	if results.scores is not None:
		yield "Scores", _tell_scores(results.scores, results)
	if results.offers is not None:
		yield "Offers", _tell_offers(results.offers, results)
	if results.reports:
		yield "Reports", _tell_reports(results.reports)
	if results.next_steps:
		more = "" if full else "\nevery table of this summary: --params summary=full"
		yield "Next", f"{results.next_steps}{more}"


def _tell_data(reconciliation: pd.DataFrame) -> Text:
	tables = reconciliation.set_index(reconciliation["table"].astype(str))
	origins = tables["origin"].astype(str).to_dict()
	said = Text(f"{tables['kept'].to_dict()[Table.LOANS]:,} ")
	if origins[Table.LOANS] == SIMULATED:
		said.append("loans of ").append(_SIMULATED_DATA, style="bold yellow")
	else:
		said.append("real loans")
	if running := tables["running"].to_dict()[Table.LOANS]:
		said.append(f", {running:,} of which still run")
	if left_out := tables["left_out"].to_dict()[Table.LOANS]:
		said.append(f"; {left_out:,} left out by their status")
	others = [str(name) for name, origin in origins.items() if origin == SIMULATED]
	if others and origins[Table.LOANS] != SIMULATED:
		said.append(f"; {' and '.join(others)} ").append("SIMULATED", style="bold yellow")
	quarantined, extracted = tables["quarantined"].to_dict(), tables["extracted"].sum()
	said.append(f"; {sum(quarantined.values()):,} of {extracted:,} rows in quarantine")
	where = ", ".join(f"{name} {count:,}" for name, count in quarantined.items() if count)
	return said.append(f" ({where})" if where else "")


def _choose_model(results: RunResults) -> str | None:
	"""`lending` before others, benchmarks last."""
	models = [name for name in (results.metrics or {}) if name not in OF_ALL_MODELS]
	models += [name for name in results.promotions if name not in models]
	return min(models, key=lambda name: (name in NOT_FOR_LENDING, name != "lending"), default=None)


def _tell_model(model: str, results: RunResults) -> str:
	lines, name = [], model
	if model in results.promotions:
		lines.append(_tell_promotion(results.promotions[model]["champion"]))
		name = "the new model"
	metrics = results.metrics or {}
	if model in metrics:
		simulated = f", trained on {_SIMULATED_DATA}" if metrics["origin"] == SIMULATED else ""
		lines.append(f"AUC of {name}{simulated}: {_tell_auc(metrics[model])}")
	if model in NOT_FOR_LENDING:
		lines.append(f"{model} is not for lending")
	if model in results.promotions:
		lines += _tell_differing(model, results.promotions)
	return "\n".join(lines)


def _tell_promotion(verdict: Mapping[str, Any]) -> str:
	headline = str(verdict["headline"])
	headline = headline[:1].upper() + headline[1:]
	if verdict["promoted"]:
		names = [condition["name"] for condition in verdict["conditions"]]
		return f"{headline}: all {len(names)} conditions hold ({', '.join(names)})"
	failed = [f"{c['name']} ({c['evidence']})" for c in verdict["conditions"] if not c["holds"]]
	return f"{headline}. Not met: {', '.join(failed)}"


def _tell_differing(model: str, promotions: Mapping[str, Any]) -> list[str]:
	promoted = promotions[model]["champion"]["promoted"]
	return [
		f"{name} {'does not become' if promoted else 'becomes'} champion"
		for name, promotion in promotions.items()
		if name not in NOT_FOR_LENDING and promotion["champion"]["promoted"] != promoted
	]


def _tell_auc(blocks: Mapping[str, Mapping[str, float] | None]) -> str:
	test = blocks.get("test")
	if test is not None:
		low, high = test["roc_auc_low"], test["roc_auc_high"]
		return f"{test['roc_auc']:.3f} [{low:.3f}, {high:.3f}] on {test['n']:,} test loans"
	cv = blocks.get("cv")
	if cv is None:
		return "too few loans"
	return f"{cv['roc_auc']:.3f} out of fold on {cv['n']:,} training loans"


def _tell_external(external: Mapping[str, Mapping[str, Any]]) -> str:
	name = min(external, key=lambda model: model != "lending")
	row = external[name]
	return (
		f"{name}: AUC {row['roc_auc']:.3f} [{row['roc_auc_low']:.3f}, {row['roc_auc_high']:.3f}] on {row['n']:,} loans "
		f"of the external sample; the interest rate alone {row['rate_roc_auc']:.3f}"
	)


def _tell_scores(scores: Path, results: RunResults) -> Text:
	lines = [str(scores)]
	if results.decisions is not None and len(results.decisions):
		lines.append(_count_decisions(results.decisions))
	if results.scoring_account is not None:
		lines += tell_account(results.scoring_account)
	return Text("\n".join(lines))


def _count_decisions(decisions: pd.DataFrame) -> str:
	counts = decisions.groupby("decision")["rows"].sum().sort_values(ascending=False)
	said = ", ".join(f"{count:,} {decision}" for decision, count in counts.items())
	return f"{said}, {_name_model(decisions)}"


def _name_model(rows: pd.DataFrame) -> str:
	name, version = rows["model_name"].iloc[0], rows["model_version"].iloc[0]
	is_demo = str(name).endswith("-demo")
	warning = f" - trained on {_SIMULATED_DATA}, not for decisions" if is_demo else ""
	return f"by {name} version {version}{warning}"


def _tell_offers(offers: Path, results: RunResults) -> Text:
	lines = [str(offers)]
	account, models = results.offers_account, results.offering_models
	if account is not None:
		if account["rows"] and models is not None and len(models):
			lines.append(f"{_count_offers(account)}, {_name_model(models)}")
		lines += tell_invalid(account)
	return Text("\n".join(lines))


def _count_offers(account: Mapping[str, Any]) -> str:
	found, as_asked = account["decisions"], account["kinds"].get("as asked", 0)
	offered = sum(found.get(decision, 0) for decision in ("approve", "refer"))
	return (
		f"{offered:,} of {account['rows']:,} applicants have an offer, {as_asked:,} of them one of the loan as asked for"
	)


def _tell_reports(reports: Sequence[Path]) -> str:
	pages = [path for path in reports if path.suffix == ".html"] or list(reports)
	first, *others = sorted(pages, key=lambda path: path.stem != "model_card")[:_SHOWN_REPORTS]
	rest = len(reports) - len(others) - 1
	said = ", ".join([str(first), *(path.name for path in others)])
	return f"{said}; {rest} more in that folder" if rest else said
