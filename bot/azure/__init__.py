"""The pipelines on Azure as a release uses them: what is ordered, followed, kept apart and believed."""
