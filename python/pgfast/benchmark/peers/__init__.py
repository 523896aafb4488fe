"""The same work as users of other libraries write it; for benchmarks alone."""
