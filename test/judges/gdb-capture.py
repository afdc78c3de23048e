"""
Run inside of gdb: single-steps the program from main and writes what it sees every few instructions, one JSON object a line:
registers, stack from 128 bytes below the stack pointer on, executable mappings, and the return addresses that gdb finds.

Environment: CAPTURE_OUT file, CAPTURE_COUNT stops, CAPTURE_STRIDE instructions between them, CAPTURE_START function.
"""
import json
import os

import gdb

# What gdb infers from debug information is no frame of its own on the stack.
INFERRED = (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)
NAMES = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
STACK_BYTES = 512 * 1024
# Below the stack pointer: an epilogue has popped registers that its rows still place there.
RED_ZONE = 128


def mappings(pid):
    found = []
    with open(f"/proc/{pid}/maps") as lines:
        for line in lines:
            parts = line.split(maxsplit=5)
            start, end = (int(each, 16) for each in parts[0].split("-"))
            path = parts[5].strip() if len(parts) > 5 else ""
            found.append({"start": start, "end": end, "code": "x" in parts[1], "offset": int(parts[2], 16), "path": path})
    return found


def capture(pid, memory):
    registers = {name: int(gdb.parse_and_eval(f"(unsigned long)${name}")) & (2**64 - 1) for name in NAMES}
    maps = mappings(pid)
    sp = registers["rsp"]
    end = next((each["end"] for each in maps if each["start"] <= sp < each["end"]), sp)
    memory.seek(sp - RED_ZONE)
    stack = memory.read(min(end - sp, STACK_BYTES) + RED_ZONE)
    frames = []
    frame = gdb.newest_frame()
    while frame is not None and len(frames) < 600:
        if frame.type() not in INFERRED:
            frames.append({"pc": int(frame.pc()), "name": frame.name() or "", "signal": frame.type() == gdb.SIGTRAMP_FRAME})
        frame = frame.older()
    reason = gdb.frame_stop_reason_string(oldest(gdb.newest_frame()).unwind_stop_reason())
    return {
        "registers": {name: hex(value) for name, value in registers.items()},
        "stack": stack.hex(),
        "mappings": [each for each in maps if each["code"]],
        "frames": frames,
        "reason": reason,
    }


def oldest(frame):
    while frame.older() is not None:
        frame = frame.older()
    return frame


for setting in ("pagination off", "confirm off", "width 0", "backtrace past-main on", "backtrace past-entry on", "debuginfod enabled off", "print inferior-events off"):
    gdb.execute(f"set {setting}")
gdb.execute(f"tbreak {os.environ['CAPTURE_START']}", to_string=True)
gdb.execute("run > /dev/null", to_string=True)
pid = gdb.selected_inferior().pid
with open(os.environ["CAPTURE_OUT"], "w") as out, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
    for _ in range(int(os.environ["CAPTURE_COUNT"])):
        if gdb.selected_inferior().pid == 0:
            break
        out.write(json.dumps(capture(pid, memory)) + "\n")
        gdb.execute(f"stepi {os.environ['CAPTURE_STRIDE']}", to_string=True)
if gdb.selected_inferior().pid != 0:
    gdb.execute("kill")
