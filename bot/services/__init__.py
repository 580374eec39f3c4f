"""One narrow adapter per outside system; none of them knows what a release is."""
