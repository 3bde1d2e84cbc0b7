"""`python -m dynoai_desktop` is the same as `dynoai-desktop`."""

import sys

from dynoai_desktop.cli import main

if __name__ == "__main__":
    sys.exit(main())
