"""Times several sides in one run, one after the other, so that all meet the same moods of a machine."""

import time

# Idle threads of an OpenMP spin for up to 200 ms, which is PyTorch's default and makes it faster; a turn begins when they sleep.
SETTLING_SECONDS = 0.25
# A shorter round has one before it that is not counted: cores have to wake and caches to fill again, which vanishes in a longer
# one. It does not help threads that woke on one core, which Linux may leave there for longer: smdim pins those of PoCL.
SHORT_SECONDS = 2


def in_turns(rounds, sides):
    """Seconds of every side in every turn after a first that is not counted.

    The slowest side of a turn decides whether the next has rounds that are not counted, so that all sides are treated alike."""
    turns, slowest = [], 0
    for _ in range(rounds + 1):
        turn = []
        for side in sides:
            time.sleep(SETTLING_SECONDS)
            if slowest < SHORT_SECONDS:
                side()
            turn.append(side())
        turns.append(turn)
        slowest = max(turn)
    return list(zip(*turns[1:]))
