"""What is tidied up after a release is upstream, one thing per module; the step wrap-up puts them together.

Each is optional in the profile and does its work once, however often it is asked. What is refused for certain is left to people, with what
they can do; an outside system that is in trouble is waited for. None of it may hold a release open.
"""
