"""The common mistakes, which `setup_checks.registry` collects."""
