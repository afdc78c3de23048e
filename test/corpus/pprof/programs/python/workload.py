"""A program for sampling profilers: recursion, two threads, some library code."""

import hashlib
import json
import sys
import threading
import time


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def burn(until):
    while time.time() < until:
        fibonacci(15)
        hashlib.sha256(b"everflame" * 500).hexdigest()
        json.loads(json.dumps({"list": ["item %d" % i for i in range(20)]}))


def main(seconds):
    until = time.time() + seconds
    other = threading.Thread(target=burn, args=(until,), name="worker")
    other.start()
    burn(until)
    other.join()


if __name__ == "__main__":
    main(float(sys.argv[1]))
