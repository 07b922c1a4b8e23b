"""Every figure of a version again, from predictions and raw loans, by code of its own."""
