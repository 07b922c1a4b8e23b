"""The page of the book, `book.html`."""
