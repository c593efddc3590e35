"""Billfold's tests, in the order of their worth: rules, tables, steps, workflows, proof, architecture, end to end."""
