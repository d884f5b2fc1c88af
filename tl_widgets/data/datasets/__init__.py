"""The named data sets; each is one `NamedDataset` at the top level of a module."""
