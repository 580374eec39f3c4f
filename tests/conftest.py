"""What every test may ask for."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres", "tests.databases"]

# A machine that is busy with something else is no fault of the code: no test asserts how long anything takes.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("unhurried")
