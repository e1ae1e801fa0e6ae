"""Background jobs of reference data; each calls one function."""

from typing import Any

from celery import shared_task

from ozgsync import loading, sources
from ozgsync.models import SyncRun
from ozgsync.sync import running

MOST_TRIES = 5


@shared_task(bind=True, max_retries=MOST_TRIES)
def sync(self: Any, name: str, actor: str = "") -> str:
    """A run of one source; after a failure, or while another is under way, again and again, ever later.

    What a person (`actor`) has started is not repeated after a failure: they see it and decide.
    """
    again = 60 * 2**self.request.retries
    try:
        run = running.run(sources.source(name), actor=actor)
    except running.Busy as busy:
        raise self.retry(countdown=again, exc=busy) from None
    if not actor and run.status == SyncRun.Status.FAILED and self.request.retries < MOST_TRIES:
        raise self.retry(countdown=again)
    return run.status


@shared_task
def resume_syncs() -> int:
    """Goes on with what killed workers have left; how many runs."""
    left = [name for name in running.left_behind() if name in sources.names()]
    for name in left:
        sync.delay(name)
    return len(left)


@shared_task
def expire_sync() -> int:
    return running.expire()


@shared_task
def follow_calendar() -> bool:
    return loading.follow_calendar()
