"""One small proof per file: that a tag, a signature or a change is what it should be."""
