"""What functions run, as zips."""
