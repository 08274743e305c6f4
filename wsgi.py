"""The front door: builds the application from the environment, or says everything that is wrong with it."""

import os
import sys

from config import Settings, SettingsError
from portal.app import create_app, make_services

try:
    app = create_app(make_services(Settings.from_env(os.environ)))
except SettingsError as error:
    sys.exit("Arobase does not start:\n" + "\n".join(f"- {fault}" for fault in error.faults))
