"""Bringing it to a cloud: stacks, layers, versions, and the way back."""
