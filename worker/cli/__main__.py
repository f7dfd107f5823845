"""`python -m worker.cli`, the same as `adtempo`."""

from worker.cli import main

main()
