"""`python -m snnc`."""

import sys

try:
    from snnc.start import main
except KeyboardInterrupt:
    print("interrupted", file=sys.stderr)
    sys.exit(130)

main()
