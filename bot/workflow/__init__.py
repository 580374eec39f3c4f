"""The workflow on GitHub that builds the sources: its runs, what their logs show, and the files they made."""
