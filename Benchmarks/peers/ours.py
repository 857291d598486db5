"""The `smdim` side of a comparison: processes that wait on stdin between rounds, and commands run once."""

import json
import os
import subprocess
from pathlib import Path


class Ours:
    """`smdim` with the device options of this run, on so many threads where that is PoCL's to say."""

    def __init__(self, tool, device=None, threads=None):
        # A Path drops the ./ before a name, which would then be looked up on PATH.
        self.tool = str(Path(tool).absolute())
        self.options = ["--device", device] if device else []
        self.environment = os.environ | ({"POCL_MAX_PTHREAD_COUNT": str(threads)} if threads else {})

    def run(self, *arguments):
        """stdout of a command; its stderr in the error if it fails."""
        command = [self.tool, *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
        return result.stdout

    def bench(self, *arguments):
        """The report of `smdim bench`."""
        return json.loads(self.run("bench", *arguments, "--json", *self.options))

    def logits(self, folder, precision, source, target):
        files = ["--model", folder, "--input", source, "-o", target]
        self.run("logits", *files, "--precision", precision, *self.options)

    def rounds(self, *arguments):
        """A function that times one round in a process of its own, which sleeps in between. Call `close()` after use."""
        return Rounds([self.tool, "rounds", *map(str, arguments), *self.options], self.environment)


class Rounds:
    def __init__(self, command, environment):
        self.command = " ".join(command)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
            env=environment,
        )
        ready = self.answer()
        if not ready.startswith("ready"):
            raise RuntimeError(f"{self.command}: expected ready, found {ready}")

    def __call__(self):
        try:
            print(file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # answer() says why
        return float(self.answer())

    def answer(self):
        """The next line; if there is none, the process's last words as an error."""
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(self.process.stderr.read().strip() or f"{self.command}: ended without an answer")
        return line

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def commit(folder):
    """The commit of the checkout, with a + if files differ from it; in a bundle what its file COMMIT says."""
    stamp = Path(folder).parents[1] / "COMMIT"
    if stamp.exists():
        return stamp.read_text().strip()

    def git(*arguments):
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True).stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "-uno") else "")


def processor():
    """The processor's name and how many of its threads this process may use."""
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else 'unknown'}, {len(os.sched_getaffinity(0))} threads"
