"""What the head of credit reads first: five findings and three actions."""
