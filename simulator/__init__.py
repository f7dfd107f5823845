"""Local Graph and Notion APIs with faults on demand, for the demo and the tests."""
