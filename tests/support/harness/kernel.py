"""The kernel that the tests run on."""

import os


def kernel_at_least(major, minor):
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (major, minor)
