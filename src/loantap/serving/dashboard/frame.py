"""Around every page: banner, sign-in, messages, and the way through a list."""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from html import escape
from time import monotonic
from typing import Any, Final

import altair as alt
import streamlit as st

from loantap.portfolio.dictionary import SIMULATED
from loantap.portfolio.errors import InputError
from loantap.serving.api.service_schemas import Model
from loantap.serving.dashboard import messages
from loantap.serving.dashboard.client import ApiError
from loantap.serving.dashboard.last_run import LastRun
from loantap.serving.dashboard.look import Theme, colour_chart, write_style
from loantap.serving.dashboard.session import Session, begin_session
from loantap.serving.dashboard.settings import DashboardSettings, read_settings

# Seconds that what was heard of the model is good for.
_KNOWN_FOR: Final = 15
_DONE: Final = "done"
# No answer, and too many requests.
_PASSING: Final = (0, 429)
# Columns that fit a phone.
_FITS: Final = 2
# More than these are written small.
_MANY: Final = 7


@dataclass(frozen=True, slots=True)
class Page:
	"""What a page is given; `model` decides, if it is known. There is no `session` without a key."""

	settings: DashboardSettings
	session: Session | None
	model: Model | None

	def open(self, first: str, *others: str) -> Session | None:
		"""The session, if its key has the first of these rights; which ones it lacks is told."""
		if self.session is None:
			st.info(messages.NO_KEY)
			return None
		for scope in (first, *others):
			if not self.session.may(scope):
				st.info(messages.tell_missing_right(scope))
		return self.session if self.session.may(first) else None


def show_page(title: str, lead: str, body: Callable[[Page], None], *, needs_api: bool = True) -> None:
	"""A page with all that stands around it, and `lead` under its title; an error of the API becomes a message."""
	st.html(write_style(current_theme()))
	try:
		settings = read_settings()
	except InputError as error:
		st.title(title)
		st.error(str(error))
		return
	session, problem = _try_to_begin(settings)
	model = None
	if session is not None and problem is None:
		model, problem = _find_model(session)
	if _is_simulated(settings, model):
		st.html(
			'<p class="lt-simulated" role="note">SIMULATED <small>made-up loans and a demo model: '
			"not for real borrowers</small></p>"
		)
	st.title(title, anchor=False)
	st.caption(lead)
	if needs_api and session is None and problem is None:
		st.info(messages.NO_KEY)
		return
	if problem is not None and (needs_api or problem.status == 401):
		show_error(problem)
		# Decisions, cases and policies need no model.
		if session is None or problem.status != 503:
			return
	try:
		body(Page(settings, session, model))
	except ApiError as error:
		show_error(error)


def show_error(error: ApiError) -> None:
	"""An error of the API: a warning where the person can mend it."""
	message = messages.explain_error(error)
	(st.warning if message.is_mendable else st.error)(message.text)


def current_theme() -> Theme | None:
	"""The person's theme; None before the browser has said."""
	return st.context.theme.type


def show_chart(chart: alt.LayerChart, alternative: str) -> None:
	"""A chart of the reports; the alternative is for those who do not see it."""
	st.vega_lite_chart(spec=colour_chart(chart, current_theme()), theme=None, width="stretch", alt=alternative)


def show_figures(*figures: tuple[str, str, str], cut: str = "") -> None:
	"""Figures side by side: name, value, and n or interval below.

	That named by `cut` is cut to its width; its tip is whole.
	"""
	items = []
	for name, value, note in figures:
		text = escape(value)
		if name == cut:
			text = f'<span class="lt-cut" title="{text}">{text}</span>'
		items.append(f"<div><dt>{escape(name)}</dt><dd>{text}<small>{escape(note)}</small></dd></div>")
	st.html(f'<dl class="lt-figures">{"".join(items)}</dl>')


def show_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], numbers: Collection[int] = ()) -> None:
	"""A table whose rows, if of more than two columns, become cards on a narrow screen; `numbers` are columns."""
	kind = f"lt-scroll{' lt-wide' * (len(head) > _FITS)}{' lt-dense' * (len(head) > _MANY)}"
	written = [_write_row("th", head, numbers)]
	written += [_write_row("td", row, numbers, head) for row in rows]
	st.html(f'<div class="{kind}" tabindex="0"><table>{"".join(written)}</table></div>')


def act(change: Callable[[], None], done: str) -> None:
	"""Change something through the API, then draw the page anew; `done` is told by `show_done`."""
	try:
		change()
	except ApiError as error:
		show_error(error)
		return
	st.session_state[_DONE] = done
	st.rerun()


def show_done() -> bool:
	"""Tell what was just done; whether anything was."""
	done = st.session_state.pop(_DONE, None)
	if done:
		st.success(done)
	return bool(done)


def _write_row(tag: str, cells: tuple[str, ...], numbers: Collection[int], head: tuple[str, ...] = ()) -> str:
	written = []
	for place, cell in enumerate(cells):
		# An interval wraps as a whole.
		text = escape(cell).replace(" [", " <span>[").replace("]", "]</span>")
		label = f' data-label="{escape(head[place])}"' if place and head else ""
		written.append(f"<{tag}{' class=num' if place in numbers else ''}{label}>{text}</{tag}>")
	return f"<tr>{''.join(written)}</tr>"


def _try_to_begin(settings: DashboardSettings) -> tuple[Session | None, ApiError | None]:
	try:
		return begin_session(settings), None
	except ApiError as error:
		return None, error


def _find_model(session: Session) -> tuple[Model | None, ApiError | None]:
	known: Any = st.session_state.get("model")
	if known is not None and monotonic() - known[0] < _KNOWN_FOR and known[1] == session.api.key:
		return known[2], None
	try:
		model = session.api.read_model()
	except ApiError as error:
		# What was typed stays.
		if error.status in _PASSING and known is not None and known[1] == session.api.key:
			return known[2], None
		return None, error
	st.session_state["model"] = (monotonic(), session.api.key, model)
	return model, None


def _is_simulated(settings: DashboardSettings, model: Model | None) -> bool:
	if model is not None:
		return model.origin == SIMULATED
	try:
		return bool(LastRun(settings).read_report("metrics.json").get("origin") == SIMULATED)
	except InputError:
		# No run, or a damaged one, which its page tells.
		return False


class Pages:
	"""Where a person is in a list of the API; another search starts anew."""

	def __init__(self, name: str, wanted: Hashable) -> None:
		self._name = name
		kept = st.session_state.get(f"pages:{name}", (None, []))
		# Per page up to this one: its cursor, and how many items come before.
		self._steps: list[tuple[str | None, int]] = kept[1] if kept[0] == wanted else [(None, 0)]
		st.session_state[f"pages:{name}"] = (wanted, self._steps)

	@property
	def after(self) -> str | None:
		"""The cursor of the page shown; None for the first."""
		return self._steps[-1][0]

	def show_way(self, shown: int, following: str | None, n: int | None = None) -> None:
		"""Which items are shown, and the buttons; nothing where all fit on one page."""
		before = self._steps[-1][1]
		if not before and following is None:
			return
		follows = "; more follow" if following else ""
		of_all = f" of {n:,}" if n is not None else follows
		told = f"{before + 1:,} to {before + shown:,}{of_all}." if shown else "None is left here."
		with st.container(horizontal=True, vertical_alignment="center"):
			st.button("Previous page", key=f"{self._name}:previous", disabled=len(self._steps) < 2, on_click=self._go_back)
			st.button(
				"Next page",
				key=f"{self._name}:next",
				disabled=following is None,
				on_click=self._go_on,
				args=(following, before + shown),
			)
			st.caption(told)

	def _go_back(self) -> None:
		self._steps.pop()

	def _go_on(self, following: str, before: int) -> None:
		self._steps.append((following, before))
