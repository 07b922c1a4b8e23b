"""What is known of a loan at the end of each month of its life."""
