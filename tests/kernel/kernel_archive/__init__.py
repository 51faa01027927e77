"""Debian's kernels by version: what its suites hold (`index`), how it is fetched (`apt`), where it is kept (`store`)."""
