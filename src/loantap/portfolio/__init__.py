"""The language of the domain: data dictionary, schemas, loan arithmetic."""
