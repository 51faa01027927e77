"""What a step says when something does not hold, or does not come true in time."""

import json
import time
from typing import Any, Callable

INTERVAL_SECONDS = 0.5  # what is asked may be a command in an emulated guest


class Failed(Exception):
    pass


def expect(holds: Any, what: str) -> None:
    if not holds:
        raise Failed(what)


def wait_for(what: str, condition: Callable[[], Any], seconds: float) -> Any:
    """The first true value of condition(). That nobody answers yet, or not as expected, is no end of the waiting. Throws Failed."""
    deadline = time.monotonic() + seconds
    last: Any = "it was never true"
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (OSError, json.JSONDecodeError, Failed) as error:
            last = error
        time.sleep(INTERVAL_SECONDS)
    raise Failed(f"waited {seconds:.0f} s in vain for {what}: {last}")
