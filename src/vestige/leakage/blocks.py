"""Parts of a long axis that fit into memory."""

from collections.abc import Iterator

BLOCK = 1 << 22  # float64 numbers held at once: 32 MiB


def blocks(count: int, numbers: int) -> Iterator[slice]:
    """Slices that cover range(count) in order, each of at most BLOCK numbers and at least one row.

    numbers: that one row needs.
    """
    at_once = max(1, BLOCK // max(1, numbers))
    return (slice(start, start + at_once) for start in range(0, count, at_once))
