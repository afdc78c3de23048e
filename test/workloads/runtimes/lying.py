# Lies about its own frames, as Python 3.11 keeps them: for so many milliseconds of CPU the frame of `lies` says that it was called by itself; then so many more in which the
# list of thread states has no end. `lying.py MILLISECONDS`.
import ctypes
import sys
import time

api = ctypes.pythonapi
api.PyThreadState_Get.restype = ctypes.c_void_p


def word(address):
    return ctypes.c_uint64.from_address(address)


def burn(milliseconds):
    until = time.thread_time() + milliseconds / 1000
    total = 0
    while time.thread_time() < until:
        for n in range(1000):
            total = (total * 31 + n) & 0xFFFF
    return total


def lies(milliseconds):
    thread = api.PyThreadState_Get()
    # PyThreadState.cframe, _PyCFrame.current_frame, _PyInterpreterFrame.previous.
    frame = word(word(thread + 56).value + 8).value
    previous = word(frame + 48)
    truth = previous.value
    previous.value = frame
    burn(milliseconds)
    previous.value = truth
    # PyThreadState.thread_id and next.
    identity, following = word(thread + 152), word(thread + 8)
    truths = identity.value, following.value
    identity.value, following.value = 1, thread
    burn(milliseconds)
    identity.value, following.value = truths


time.sleep(1)
burn(50)
time.sleep(1)
lies(float(sys.argv[1]))
