"""Profiles workload.py with zprofile. Usage: zprofile-run.py OUTPUT"""

import sys
import threading

import workload
from zprofile.cpu_profiler import CPUProfiler

thread = threading.Thread(target=workload.main, args=(3,))
thread.start()
profile = CPUProfiler().profile(1.5)
with open(sys.argv[1], "wb") as output:
    output.write(profile)
thread.join()
