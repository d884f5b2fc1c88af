"""Studies: questions that take more than one training run to answer."""
