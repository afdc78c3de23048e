# Five functions with known shares of the CPU, called through what names get lost in: recursion, closures, methods, generators, callbacks of native code, a
# long name and one beyond ASCII. `planted.py TRUTH MILLISECONDS` uses about so much CPU, in a thread of its own with `thread` after it, and writes to the
# file TRUTH how many microseconds of CPU each function took.
import ctypes
import sys
import threading
import time
import zlib


def a_very_long_name_that_goes_on_and_on_until_nobody_wants_to_read_it_any_more_because_it_has_more_than_one_hundred_characters_in_it(
    turns,
):
    return work(turns)


def work(turns):
    total = 0
    for n in range(turns):
        total = (total * 31 + n) & 0xFFFFFF
        total ^= total >> 3
    return total


class Shop:
    def render_invoice(self, turns):
        return work(turns)


shop = Shop()


def alpha():
    return shop.render_invoice(8000)


def beta():
    return max([5000], key=lambda turns: work(turns))


def größe():
    return a_very_long_name_that_goes_on_and_on_until_nobody_wants_to_read_it_any_more_because_it_has_more_than_one_hundred_characters_in_it(
        3600
    )


# The C library's qsort calls what is Python's: the frames of both, and of libffi between them, lie on one stack.
libc = ctypes.CDLL(None)


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def compare(one, other):
    return work(2400) & 1


def delta():
    return libc.qsort((ctypes.c_int * 2)(2, 1), 2, ctypes.sizeof(ctypes.c_int), compare)


def epsilon():
    turns = (1000,)

    def closure():
        return sum(work(each) for each in turns)

    return closure()


planted = [alpha, beta, größe, delta, epsilon]
totals = [0.0] * len(planted)


def level(depth):
    if depth > 0:
        return level(depth - 1) + 1
    for i, function in enumerate(planted):
        before = time.thread_time()
        function()
        totals[i] += time.thread_time() - before
    return 0


text = b"everflame " * 20_000


def compressed():
    return len(zlib.compress(text))


def outer(until):
    turn = 0
    while time.process_time() < until:
        level(200 if turn % 10 == 0 else 20)
        if turn % 4 == 0:
            compressed()
        turn += 1


def run(truth, milliseconds):
    outer(time.process_time() + milliseconds / 1000)
    with open(truth, "w", encoding="utf-8") as file:
        for function, seconds in zip(planted, totals):
            file.write(f"{function.__name__} {round(seconds * 1e6)}\n")


# Long enough for an agent that has never seen this program to make its tables: what it does until then is not the matter here.
warm = time.process_time() + 0.05
while time.process_time() < warm:
    pass
time.sleep(2)
if sys.argv[3:] == ["thread"]:
    thread = threading.Thread(target=run, args=(sys.argv[1], float(sys.argv[2])), name="planted-thread")
    thread.start()
    thread.join()
else:
    run(sys.argv[1], float(sys.argv[2]))
