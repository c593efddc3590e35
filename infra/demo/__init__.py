"""The main job, played over HTTP: `make demo`."""
