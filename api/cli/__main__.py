"""`python -m api.cli` does what `oms` does."""

from api.cli import main

main()
