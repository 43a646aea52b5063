"""Training: from the texts in ``data/`` to a model. It may use the house; the house never uses it."""
