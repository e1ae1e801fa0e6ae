"""Publishing what the release rules cover."""

from accounts.models import User
from services import release
from services.models import OnlineService
from transactions.publication import publish_many


def apply_release_rules(*, by: User | None) -> list[OnlineService]:
    """Publishes every service that the rules release and nobody withholds; those that are public by it.

    What is public stays as it is: a rule neither withdraws nor changes a depth that somebody chose.
    """
    rules = release.current_rules()
    wanted = release.depths(release.waiting(rules), rules)
    return publish_many(wanted, by=by) if wanted else []
