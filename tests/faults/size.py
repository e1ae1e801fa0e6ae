"""How much the tests of this folder do: a little in the ordinary suite, all of it with `make faults`."""

import os
import random
from typing import TypeVar

FULL = os.environ.get("ZSK_FAULTS") == "full"
# The same accidents in each run of the suite, others in each run at full size; the seed of a failed run
# repeats it.
SEED = int(os.environ.get("ZSK_FAULTS_SEED") or (random.randrange(10**6) if FULL else 1))
Value = TypeVar("Value")


def size(small: Value, full: Value) -> Value:
    return full if FULL else small
