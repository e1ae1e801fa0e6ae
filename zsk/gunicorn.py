"""Configuration of gunicorn, the web server of the demo and of production."""

import gc
import os
import re
from typing import Any

from gunicorn.glogging import Logger

from zsk import env

# What follows these is a secret that stands in the address: whoever has it may act.
_SECRET = re.compile(
    r"(/(?:einladung|landing/bestaetigen|anmelden/weiter|konto/email)/|/konto/passwort-vergessen/\w+-)[^/\s?]+"
)


class DiscreetLogger(Logger):
    """An access log without the tokens that stand in addresses."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        for name in ("r", "U", "f"):
            found[name] = _SECRET.sub(r"\1…", str(found.get(name, "-")))
        return found


def when_ready(_server: Any) -> None:
    """Before the workers are forked: what is loaded by now stays, and is searched for garbage no more.

    And what a request makes is mostly gone by itself: a search after every 700 objects finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


logger_class = DiscreetLogger

bind = env.text("WEB_BIND", "127.0.0.1:8000")
workers = env.number("WEB_CONCURRENCY", 2, least=1)
worker_class = "gthread"
threads = env.number("WEB_THREADS", 4, least=1)
# Loaded once and shared by the workers: half the start-up time, and less memory.
preload_app = True
timeout = 60
graceful_timeout = 10
keepalive = 5
accesslog = "-"
# Its heartbeat file belongs in memory: a slow disk would look like a hanging worker.
_MEMORY = "/dev/shm"  # noqa: S108
worker_tmp_dir = _MEMORY if os.access(_MEMORY, os.W_OK) else None
# It would lie in the home folder, where two installations meet.
control_socket_disable = True
