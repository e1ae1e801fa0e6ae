"""Pushers of different services must not wait for one another.

- `push_overlap_speedup`: the time of 8 pushers one after the other, over that of the same 8 at once, on one
  gunicorn with two workers; each sends the same pushes for a service of its own.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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
            # The first time every worker loads what it needs.
            _once, alone, together = (
                seconds(lambda count=count, act=act: act(port, secrets, keys, count))
                for count, act in enumerate((_at_once, _in_turn, _at_once), start=1)
            )
        scratch.report(push_overlap_speedup=alone / together, in_turn_seconds=alone, at_once_seconds=together)


def _push(port: int, secret: str, keys: list[str], count: int) -> None:
    client = Client(port, secret)  # a connection that waits too long is closed by the server
    for number in range(PUSHES):
        client.post("/api/v1/lieferungen", [row(ars, 100 * count + number) for ars in keys])


def _in_turn(port: int, secrets: list[str], keys: list[str], count: int) -> None:
    for secret in secrets:
        _push(port, secret, keys, count)


def _at_once(port: int, secrets: list[str], keys: list[str], count: int) -> None:
    with ThreadPoolExecutor(len(secrets)) as pool:
        list(pool.map(lambda secret: _push(port, secret, keys, count), secrets))


if __name__ == "__main__":
    main()
