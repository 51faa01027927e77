"""What the tests that run real programs on real filesystems share. Python's standard library only."""
