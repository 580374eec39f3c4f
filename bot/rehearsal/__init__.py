"""The world in a box: strict stand-ins, on loopback, for every system that a release touches.

Nothing in here is known to the bot, and nothing of the bot is known in here: both sides meet only over HTTP and git, so that the
same program that runs in production is the one that is rehearsed.
"""
