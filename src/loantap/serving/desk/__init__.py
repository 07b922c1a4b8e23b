"""What decides: the live model, the policy in force, offers and replays."""
