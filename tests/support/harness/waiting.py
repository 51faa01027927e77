"""Waiting for a condition with a deadline. Tests never sleep for a time and hope."""

import time

INTERVAL_SECONDS = 0.02


class Timeout(AssertionError):
    pass


def wait_until(condition, seconds, what):
    """Returns the first true value of condition(). Raises Timeout, which says what was waited for: a text, or a function that
    makes one then."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(INTERVAL_SECONDS)
