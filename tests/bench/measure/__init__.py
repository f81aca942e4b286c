"""What the sections of tests/bench/run are made of."""
