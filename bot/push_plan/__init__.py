"""What every branch becomes, and the objects that it takes: forwarded, merged, or begun by a first beta."""
