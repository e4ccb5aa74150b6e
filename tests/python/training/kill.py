"""Child of the tests: trains or resumes, and kills itself in the middle of writing checkpoint N."""

import os
import signal
import sys
from pathlib import Path

from fastcaloq_infer.training import load_config, run

config, folder, fatal = sys.argv[1], sys.argv[2], int(sys.argv[3])
write_state = run.write_state
count = 0


def half(self, content):
    with self.open("wb") as stream:
        stream.write(content[: len(content) // 2])
        stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def counting(path, state):
    global count
    count += 1
    if count == fatal:
        Path.write_bytes = half
    write_state(path, state)


run.write_state = counting
run.train(load_config(config), folder, resume=True)
