"""A local Notion API: the answers, limits and failures of the real one, and pages a person can look at."""

from simulator.notion.app import create_app
from simulator.notion.errors import StateError
from simulator.notion.settings import Settings

__all__ = ["Settings", "StateError", "create_app"]
