"""What a run says at its end, in the terminal."""
