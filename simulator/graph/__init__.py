"""A local Graph API with a seeded world behind it: ``Server(lambda: create_app(World(7)))``."""

from simulator.graph.app import create_app
from simulator.graph.world import World

__all__ = ["World", "create_app"]
