"""What the bot answers over HTTP: the intake of webhooks, and pages that say where the releases stand."""
