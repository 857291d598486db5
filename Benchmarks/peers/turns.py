"""Times several sides in one run, one after the other, so that all meet the same moods of a machine."""

import time

# Idle threads of an OpenMP spin for up to 200 ms, which is PyTorch's default and makes it faster; a turn begins when they sleep.
SETTLING_SECONDS = 0.25
# A shorter round has one before it that is not counted: cores have to wake and caches to fill again.
SHORT_SECONDS = 2


def in_turns(rounds, sides):
    """Seconds of every side in every round after one that is not counted."""
    seconds = [[] for _ in sides]
    for turn in range(rounds + 1):
        for column, side in zip(seconds, sides):
            time.sleep(SETTLING_SECONDS)
            value = side()
            if turn > 0:
                column.append(side() if value < SHORT_SECONDS else value)
    return seconds
