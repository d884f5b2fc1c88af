"""The common mistakes, each declared as a `Mistake`, which `setup_checks.registry` collects."""
