"""Runs a program and notes its peak memory: FILE PROGRAM ARGUMENTS. A program that is no file is run as a statement."""

import os
import runpy
import sys

note, program, *sys.argv[1:] = sys.argv[1:]
if program.endswith(".py"):
    sys.path.insert(0, os.path.dirname(program))
    runpy.run_path(program, run_name="__main__")
else:
    exec(program)
# Of this program alone; `getrusage` would start from what the parent held when it forked.
with open("/proc/self/status") as status, open(note, "w") as file:
    file.write(next(line for line in status if line.startswith("VmHWM:")).split()[1])
