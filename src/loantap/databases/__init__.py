"""Source and target systems behind one interface: read, inspected, merged into."""
