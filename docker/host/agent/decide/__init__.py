"""Decisions: functions from what was seen to what is to be done. No I/O, no clock, no environment."""
