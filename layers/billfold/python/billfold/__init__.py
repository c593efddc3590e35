"""Billfold: virtual bills, verified once, paid once, on one double-entry ledger."""

import gc

# Next to nothing that imports make is garbage, and looking for it takes a seventh of a cold start at the usual 2,000 new
# objects a look. At 100,000 the garbage that waits is some 20 MB at most.
gc.set_threshold(100_000)
