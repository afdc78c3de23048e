# Threads with names, each of which burns in a function of its own: `thread-names.py MILLISECONDS` of CPU each.
import _thread
import sys
import threading
import time

milliseconds = float(sys.argv[1])


def burn(milliseconds=milliseconds):
    until = time.thread_time() + milliseconds / 1000
    total = 0
    while time.thread_time() < until:
        for n in range(1000):
            total = (total * 31 + n) & 0xFFFF
    return total


def in_plain():
    burn()


def in_unicode():
    burn()


def in_renamed():
    threading.current_thread().name = "the second name"
    burn()


def in_subclass():
    burn()


def in_crowded():
    burn()


def in_nameless():
    burn()
    over.release()


def in_main():
    burn()


class Worker(threading.Thread):
    def run(self):
        in_subclass()


class Crowded(threading.Thread):
    """More attributes than instances share the names of."""

    def __init__(self):
        for i in range(100):
            setattr(self, f"attribute_{i}", i)
        super().__init__(name="crowded")
        self.__dict__["one more"] = 1

    def run(self):
        in_crowded()


# Long enough for an agent that has never seen this program to make its tables.
burn(50)
time.sleep(2)
burn(50)
time.sleep(0.5)
over = _thread.allocate_lock()
over.acquire()
threads = [
    threading.Thread(target=in_plain, name="plain worker of more than fifteen bytes"),
    threading.Thread(target=in_unicode, name="größe 🐍"),
    threading.Thread(target=in_renamed, name="the first name"),
    Worker(name="subclass"),
    Crowded(),
]
for each in threads:
    each.start()
_thread.start_new_thread(in_nameless, ())
for each in threads:
    each.join()
over.acquire()
in_main()
