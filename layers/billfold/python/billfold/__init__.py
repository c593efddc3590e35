"""Billfold: virtual bills, verified once, paid once, on one double-entry ledger."""
