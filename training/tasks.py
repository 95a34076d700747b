"""What the worker does for adapters: one trainer at a time, in the order asked."""
