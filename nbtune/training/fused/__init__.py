"""Trials of one architecture, trained together as one computation. In workers."""
