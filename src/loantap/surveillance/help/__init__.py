"""What is offered to each borrower on the watch-list, by rule and arithmetic."""
