"""What is known of other processes of this machine."""

from __future__ import annotations

import os


def is_running(pid: int) -> bool:
    """Whether there is a process of that number; True where the system does not tell.

    On other systems than POSIX signal 0 would end the process, so whoever asks there must have
    another way to give a dead process up, such as the age of what it left.
    """
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
