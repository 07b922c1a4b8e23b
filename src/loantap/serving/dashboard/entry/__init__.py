"""The script that Streamlit runs, apart from `pages`.

Of a script beside a folder `pages` Streamlit would show that folder's files as pages of their own
until the script has run once: a first visit to a page's address would find it empty.
"""
