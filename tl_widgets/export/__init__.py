"""Results outside the Lab: a plain Keras script, a report, saved models."""
