"""`make demo`: real calls that meet different fates, and what became of each."""
