"""The script that Streamlit runs.

Beside it, a folder `pages` would show as pages until it has run, empty on a first visit.
"""
