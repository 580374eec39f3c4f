"""Every verdict on the real artifacts of CPython's release managers: ``make verify-real``."""
