"""What operations do to a stage that runs."""
