"""The local cloud: its emulator, its sandbox, and the engines that tests use."""
