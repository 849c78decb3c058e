"""What `twinhost VERB` and the timers run: one room for each."""
