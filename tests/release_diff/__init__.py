"""The audit of release commits: whole stories, single rules, properties, real releases."""
