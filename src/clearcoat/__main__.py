"""`python -m clearcoat`."""

from clearcoat.cli import main

main()
