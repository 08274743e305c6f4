"""The front door: builds the application from the environment, or says everything that is wrong with it."""

from portal.start import load

app = load()
