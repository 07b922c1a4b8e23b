"""The documentation site: what MkDocs is told, and the reference that is made from the code."""
