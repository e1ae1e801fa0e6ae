"""The push interface on gunicorn, as in production, against a view that does nothing on the same server.

- `push_single_vs_bare_view`: a push of one changed row, over a bare DRF view; medians, in turns.
- `push_10k_rows_per_s`: rows a second in pushes of 10,000 changed rows.
- `push_single_in_full_month_vs_bare_view`: the first again, in a month that has a value for each Gemeinde.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import scratch
from bench.deliveries import gemeinden, make_service, seconds

SINGLES = 400
BULKS = 7
BULK_ROWS = 10_000
# Enough worker threads to answer; more would only compete for the processor with each other.
ENVIRONMENT = {
    "WEB_CONCURRENCY": "1", "WEB_THREADS": "2", "LOG_LEVEL": "WARNING", "DATABASE_POOL_SIZE": "4",
    "REQUESTS_PER_KEY": "1000000",  # counted all the same
}  # fmt: skip


def main() -> None:
    with scratch.database():
        from services.credentials import issue_api_key

        service = make_service("gemeinde")
        _credential, key = issue_api_key(service=service, name="Messung", by=None)
        keys = gemeinden()
        with server() as port:
            client = Client(port, key)
            scratch.report(
                push_single_vs_bare_view=measure_single(client, keys),
                push_10k_rows_per_s=measure_bulk(client, keys),
            )
            client.post("/api/v1/lieferungen", [row(ars, 10**6) for ars in keys])
            scratch.report(push_single_in_full_month_vs_bare_view=measure_single(client, keys))


@contextmanager
def server(**more: str) -> Iterator[int]:
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "zsk.wsgi",
        "-c",
        "zsk/gunicorn.py",
        "--access-logfile",
        "/dev/null",
    ]
    environment = os.environ | ENVIRONMENT | more | {"WEB_BIND": f"127.0.0.1:{port}"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _attempt in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("Der Webserver startet nicht.")


class Client:
    """One connection that stays open, as a busy sender's does."""

    def __init__(self, port: int, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, rows: list[dict[str, object]]) -> None:
        self.connection.request("POST", path, json.dumps({"zeilen": rows}), self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {body[:500]!r}")


def row(ars: str, count: int) -> dict[str, object]:
    return {"ars": ars, "monat": "2025-05", "anzahl": count}


def measure_single(client: Client, keys: list[str]) -> float:
    """Median of a push's time over the median of the bare view's, both with the same message."""
    pushes, bare = [], []
    for number in range(SINGLES):
        rows = [row(keys[number % 50], number)]
        bare.append(seconds(lambda rows=rows: client.post("/bench/bare", rows)))  # type: ignore[misc]
        pushes.append(seconds(lambda rows=rows: client.post("/api/v1/lieferungen", rows)))  # type: ignore[misc]
    scratch.report(
        push_single_ms=statistics.median(pushes) * 1000, bare_view_ms=statistics.median(bare) * 1000
    )
    return statistics.median(pushes) / statistics.median(bare)


def measure_bulk(client: Client, keys: list[str]) -> float:
    times = []
    for number in range(BULKS):
        rows = [row(ars, number + 1) for ars in keys[:BULK_ROWS]]
        times.append(seconds(lambda rows=rows: client.post("/api/v1/lieferungen", rows)))  # type: ignore[misc]
    return BULK_ROWS / statistics.median(times)


if __name__ == "__main__":
    main()
