"""The named data sets, one module each; `data.catalogue` reads only the constant DATASET of a module."""
