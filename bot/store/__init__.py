"""Durable work: what arrived, what is to be looked at, what was done to the world, and the journal of it all.

``model`` is what others see, ``store`` the port they call, ``claim`` what a reconciler holds; the rest is how.
"""
