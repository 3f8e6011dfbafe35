"""Performance goals as ratios measured in one run. `make bench` prints them as a table and keeps them as JSON."""
