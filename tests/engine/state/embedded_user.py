"""A process that uses an embedded server: `python -m tests.engine.state.embedded_user FOLDER`.

It says "up" once the server answers, and ends in order when its input ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.state.embedded import start_embedded


def main() -> None:
    start_embedded(Path(sys.argv[1]))
    print("up", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
