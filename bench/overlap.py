"""Pushers of different services must not wait for one another.

- `push_overlap_speedup`: the time of 8 pushers one after the other, over that of the same 8 at once, on one
  gunicorn with two workers; each sends the same pushes for a service of its own.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import scratch
from bench.deliveries import gemeinden, make_services, seconds
from bench.push import Client, row, server

PUSHERS = 8
PUSHES = 15
ROWS = 500


def main() -> None:
    with scratch.database():
        from services.credentials import issue_api_key

        found = make_services("gemeinde", PUSHERS)
        secrets = [issue_api_key(service=service, name="Messung", by=None)[1] for service in found]
        keys = gemeinden()[:ROWS]
        with server(WEB_CONCURRENCY="2", WEB_THREADS="4") as port:
            clients = [Client(port, secret) for secret in secrets]
            counts = itertools.count(1)
            _at_once(clients, keys, next(counts))  # every worker has loaded everything
            alone = seconds(lambda: _in_turn(clients, keys, next(counts)))
            together = seconds(lambda: _at_once(clients, keys, next(counts)))
        scratch.report(push_overlap_speedup=alone / together, in_turn_seconds=alone, at_once_seconds=together)


def _push(client: Any, keys: list[str], count: int) -> None:
    for number in range(PUSHES):
        client.post("/api/v1/lieferungen", [row(ars, 100 * count + number) for ars in keys])


def _in_turn(clients: list[Any], keys: list[str], count: int) -> None:
    for client in clients:
        _push(client, keys, count)


def _at_once(clients: list[Any], keys: list[str], count: int) -> None:
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(lambda client: _push(client, keys, count), clients))


if __name__ == "__main__":
    main()
