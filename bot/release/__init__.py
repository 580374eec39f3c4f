"""The heart: what a release is and what may happen next. Nothing in here does I/O."""
