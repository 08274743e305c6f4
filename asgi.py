"""The gateways' front door, for an ASGI server: the application of `wsgi`, where waiting for news takes no thread."""

from portal.gateway_api.asgi import GatewayDoor
from portal.gateway_api.followers import Followers
from portal.gateway_api.radius_queue import RadiusQueue
from portal.services import Services
from wsgi import app as application

services: Services = application.extensions["arobase"]
followers = Followers(services.make_session, services.wake, services.places.keep_fresh)
app = GatewayDoor(application, followers, RadiusQueue(application))
