"""Tables in files, read, mapped over and written in batches, on one machine or many; no Kedro."""
