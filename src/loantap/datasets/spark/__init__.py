"""Tables that a Spark cluster reads and makes."""
