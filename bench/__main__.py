"""All measurements, one after the other, each in a process of its own; a line of JSON for each figure."""

import subprocess
import sys

MEASUREMENTS = (
    "bench.deliveries",
    "bench.comparison",
    "bench.growth",
    "bench.push",
    "bench.overlap",
    "bench.dashboard",
    "bench.overview",
    "bench.registration",
    "bench.sync",
)


def main() -> int:
    """The number of measurements that failed; one that fails does not keep the others from running."""
    return sum(subprocess.run([sys.executable, "-m", name]).returncode != 0 for name in MEASUREMENTS)


if __name__ == "__main__":
    sys.exit(main())
