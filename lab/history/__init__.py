"""A town's past, made up from a seed: who was online where and for how long, as rows of the real tables.

For the bench and for trying the log and the reports. The same wish gives the same rows. Nothing in it is a person.
"""
