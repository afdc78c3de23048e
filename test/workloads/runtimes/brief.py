# Starts a process of 200 ms, again and again: `brief.py ROUNDS TRUTH`. Each writes a line to the file TRUTH: the milliseconds of CPU that `briefly` took.
import subprocess
import sys
import time


def briefly():
    end = time.perf_counter() + 0.2
    total = 0
    while time.perf_counter() < end:
        for n in range(1000):
            total = (total * 31 + n) & 0xFFFF
    return total


if sys.argv[1] == "child":
    before = time.thread_time()
    briefly()
    with open(sys.argv[2], "a", encoding="ascii") as file:
        file.write(f"{(time.thread_time() - before) * 1000}\n")
else:
    for _ in range(int(sys.argv[1])):
        subprocess.run([sys.executable, __file__, "child", sys.argv[2]], check=True)
