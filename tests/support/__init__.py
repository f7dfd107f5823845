"""What the tests stand on: real servers, simulators, and workers inside and outside of the test's process."""
