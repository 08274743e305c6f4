"""Demo town: real places of Besançon, as files in the form that operators use.

The picture `citadelle.jpg` was drawn for this project and is under its licence.
"""
