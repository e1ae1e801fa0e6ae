"""`python -m zsk.probe`: is the web process here ready? For the demo and the container's check."""

import http.client
import json
import os
import sys


def problem(bind: str, *, host: str = "localhost", seconds: float = 5) -> str:
    """What /health/ready at `bind` (host:port) under the name `host` complains of; empty if all is well."""
    address, _colon, port = bind.rpartition(":")
    everywhere = {"", "0.0.0.0", "[::]"}  # noqa: S104 - compared, not bound
    address = "127.0.0.1" if address in everywhere else address
    connection = http.client.HTTPConnection(address, int(port), timeout=seconds)
    try:
        # As the proxy does, or a redirect to https would come back.
        connection.request("GET", "/health/ready", headers={"Host": host, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{answer.status}: {_summary(body)}"


def _summary(body: bytes) -> str:
    try:
        checks = json.loads(body)
    except ValueError:
        return body[:200].decode(errors="replace")
    return ", ".join(f"{name} {word}" for name, word in checks.items() if word != "ok")


def main() -> None:
    # The container's own name may not be an allowed host; the first allowed one is.
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip("*.")
    found = problem(os.environ.get("WEB_BIND", "127.0.0.1:8000"), host=host or "localhost")
    if found:
        sys.exit(found)


if __name__ == "__main__":
    main()
