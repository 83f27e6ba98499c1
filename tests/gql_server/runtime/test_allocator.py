"""Memory use after large responses."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from gql_server.runtime.allocator import return_large_buffers
if sys.argv[1:] == ["return"]:
    return_large_buffers()
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
for size in (8_000_000, 4_000_000, 8_000_000, 3_000_000):
    held = [bytes(size), bytearray(size // 2)]
    small = [bytes(600_000) for _ in range(4)]
    del held
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory use from Linux")
def test_freed_large_buffers_return_to_system() -> None:
    """After large buffers are freed, the process uses little more memory than before."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "return"], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 6_000_000
