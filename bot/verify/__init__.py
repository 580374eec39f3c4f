"""One small class for each proof that a release rests on."""
