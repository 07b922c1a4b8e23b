"""The script that Streamlit runs.

Streamlit would show files of a folder `pages` beside it as pages of their own until it has run
once: a first visit to a page's address would find it empty.
"""
