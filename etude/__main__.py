"""`python -m etude`."""

import sys

from etude.command_line import main

if __name__ == "__main__":
    sys.exit(main())
