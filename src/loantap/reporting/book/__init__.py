"""The page of the book, `book.html`: words, charts and tables of finished figures."""
