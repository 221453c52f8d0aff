"""`python -m lighttls` is the command `lighttls`."""

import sys

from lighttls.cli import main

sys.exit(main())
