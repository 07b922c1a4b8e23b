"""The script that Streamlit runs.

Pages in a folder `pages` beside it would show until it has run.
"""
