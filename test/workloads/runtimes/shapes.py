# Python code that runs in other ways than by a plain call: each of five functions burns the milliseconds of CPU that the first argument names.
import asyncio
import os
import sys
import threading
import time

milliseconds = float(sys.argv[1])
source = """
import time

def burn(milliseconds):
    until = time.thread_time() + milliseconds / 1000
    total = 0
    while time.thread_time() < until:
        for n in range(1000):
            total = (total * 31 + n) & 0xFFFF
    return total
"""
exec(compile(source, "burn.py", "exec"))


async def in_coroutine():
    await asyncio.sleep(0)
    burn(milliseconds)


async def awaits():
    await in_coroutine()


async def main():
    await asyncio.gather(awaits(), asyncio.sleep(0))


def in_generator():
    yield 1
    burn(milliseconds)
    yield 2


def delegates():
    yield from in_generator()


def in_thread(index):
    if index == 20:
        burn(milliseconds)
    else:
        gate.wait()


def in_child():
    burn(milliseconds)


def in_subinterpreter():
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    interpreters = __import__(name)
    interpreters.run_string(interpreters.create(), source + f"\nburn({milliseconds})\n")


# Long enough for an agent that has never seen this program to make its tables.
time.sleep(2)
burn(50)
time.sleep(0.5)
asyncio.run(main())
list(delegates())
gate = threading.Event()
threads = [threading.Thread(target=in_thread, args=(index,)) for index in range(40)]
for each in threads:
    each.start()
threads[20].join()
gate.set()
for each in threads:
    each.join()
child = os.fork()
if child == 0:
    time.sleep(0.5)
    in_child()
    os._exit(0)
os.waitpid(child, 0)
in_subinterpreter()
