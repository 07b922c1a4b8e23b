"""Tables of ours in the warehouse: staged, merged, published."""
