"""A package, so that the local cloud is stopped with its last test, beside other tests, and not when the run is over."""
