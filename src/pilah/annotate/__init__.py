"""A small web application in which a person corrects the labels of dumps: `python -m pilah.annotate my_dumps/`."""
