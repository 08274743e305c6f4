"""Demo town: real places of Besançon, as files in the form that operators use."""
