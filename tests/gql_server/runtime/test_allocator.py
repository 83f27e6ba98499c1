"""Memory after large answers."""

import subprocess
import sys
from pathlib import Path

import pytest

HELD = """
import sys
from gql_server.runtime.allocator import give_back_large_buffers
if sys.argv[1:] == ["give back"]:
    give_back_large_buffers()
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
for size in (8_000_000, 4_000_000, 8_000_000, 3_000_000):
    held = [bytes(size), bytearray(size // 2)]
    small = [bytes(600_000) for _ in range(4)]
    del held
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says how much is held")
def test_large_buffers_go_back() -> None:
    """After large buffers were freed the process holds little more than before."""
    done = subprocess.run(
        [sys.executable, "-c", HELD, "give back"], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 6_000_000
