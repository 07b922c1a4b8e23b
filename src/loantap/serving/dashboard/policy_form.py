"""The form for a new version of the credit policy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import streamlit as st

from loantap.policy.credit_policy import MAX_DEFAULT_PRICE
from loantap.serving.api.service_schemas import ActivePolicy
from loantap.serving.dashboard.policy_words import RULES, TARGETS, Content

# Limits and step in per cent, as in `Rules` and `Targets`.
_PERCENT: Final[Mapping[str, tuple[float, float, float]]] = {
    "min_margin": (-500.0, 50.0, 0.1),
    "review_margin": (0.0, 50.0, 0.01),
    "max_probability_of_default": (0.1, 100.0, 1.0),
    **dict.fromkeys(TARGETS, (0.0, 100.0, 1.0)),
}
# In per cent of the principal per point of PD it is the same number.
_PER_POINT: Final = "default_price"
# Of a share typed in per cent.
_DIGITS: Final = 8


def ask_policy(in_force: ActivePolicy, content: Content) -> dict[str, Any] | None:
    """Draw the form, which starts from the policy in force.

    Returns the policy as the API takes it, without author, once it was sent off; None until then.
    """
    # Another policy in force is another start.
    key = f"propose:{in_force.id}:{in_force.digest}"
    with st.form(key):
        left, right = st.columns(2)
        version = left.text_input("New version", key=f"{key}:version", max_chars=50, placeholder="such as 2026-12")
        day = right.date_input("Takes effect on", datetime.now(UTC).date(), key=f"{key}:day")
        names = list(content.economics.scenarios)
        scenario = st.selectbox("Scenario of expected NPV", names, key=f"{key}:scenario",
                                index=names.index(content.scenario_name))  # fmt: skip
        left, right = st.columns(2)
        with left:
            st.markdown("**Rules**")
            rules = {of: _ask(of, RULES[of][0], content.rules, key) for of in RULES}
        with right:
            st.markdown("**Targets**")
            targets = {of: _ask(of, TARGETS[of][0], content.targets, key) for of in TARGETS}
        if not st.form_submit_button("Propose", type="primary"):
            return None
    if not version.strip():
        st.warning("Give the new version a name.")
        return None
    return {
        "id": in_force.policy["id"],
        "version": version.strip(),
        "effective_from": str(day),
        "scenario": scenario,
        "rules": rules,
        "targets": targets,
    }


def _ask(of: str, label: str, group: Any, key: str) -> float:
    value = float(getattr(group, of))
    if of == _PER_POINT:
        price = st.number_input(f"{label} (%)", 0.0, MAX_DEFAULT_PRICE, value, 0.01, format="%.4g", key=f"{key}:{of}")
        return value if price == value else round(float(price), _DIGITS + 2)
    if of not in _PERCENT:
        return float(st.number_input(label, 1.0, None, value, 500.0, format="%.0f", key=f"{key}:{of}"))
    low, high, step = _PERCENT[of]
    shown = round(100 * value, _DIGITS)
    given = st.number_input(f"{label} (%)", low, high, shown, step, format="%.4g", key=f"{key}:{of}")
    # What nobody touched stays the same to the last digit.
    return value if given == shown else round(float(given) / 100, _DIGITS + 2)
