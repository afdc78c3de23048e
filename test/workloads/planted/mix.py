# Python's part of the standard mix: thirty calls and five functions, until it is ended.


def work(turns):
    total = 0
    for i in range(turns):
        total = (total * 31 + i) & 0xFFFF
    return total


def planted_alpha():
    return work(4000)


def planted_beta():
    return work(2500)


def planted_gamma():
    return work(1800)


def planted_delta():
    return work(1200)


def planted_epsilon():
    return work(500)


def level(depth):
    if depth > 0:
        return level(depth - 1) + 1
    return planted_alpha() + planted_beta() + planted_gamma() + planted_delta() + planted_epsilon()


while True:
    level(30)
