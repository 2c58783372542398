"""A peer at work: one process, one set of images, one number of threads, one run at a time.

stdin, a line of JSON each:
    {"inputs": {"image": path, "mask": path}, "threads": n, "field": path}    once, first
    {"run": options}      performs one timed run, with the options of our step
    "field"               writes the log field of the last run to the job's path, as float32, x fastest

stdout, a line of JSON for each: {"version"}, {"ms", "cpuMs", "threads"}, {"field"}.

The caller decides when a run happens, so that it can interleave ours with these.
"""

import json
import sys
import time


def serve(start):
    """`start(job)` loads the images and gives the version, `correct(options)`, and `log_field(result)`."""
    job = json.loads(sys.stdin.readline())
    version, correct, log_field = start(job)
    answer({"version": version})
    result = None
    for line in sys.stdin:
        command = json.loads(line)
        if command == "field":
            log_field(result).astype("<f4").tofile(job["field"])
            answer({"field": job["field"]})
            continue
        # Freeing what an earlier run made is not part of this one.
        result = None
        wall, cpu = time.perf_counter(), time.process_time()
        result = correct(command["run"])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        answer({"ms": wall * 1e3, "cpuMs": cpu * 1e3, "threads": job["threads"]})


def answer(facts):
    print(json.dumps(facts), flush=True)
