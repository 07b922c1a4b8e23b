"""The script that Streamlit runs.

Until it has run once, Streamlit would show files of a folder `pages` beside it as pages: a first
visit to a page's address would find it empty.
"""
