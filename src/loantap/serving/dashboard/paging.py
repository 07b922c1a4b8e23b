"""A list page by page."""

from collections.abc import Hashable

import streamlit as st


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
