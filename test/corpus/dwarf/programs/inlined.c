/* A chain of inlined functions, a cold part, a switch: what the corpus of DWARF needs, without a library. */
static volatile int sink;

static inline __attribute__((always_inline)) int leaf(int x) {
  sink = x * 3;
  return sink + 7;
}

static inline __attribute__((always_inline)) int middle(int x) {
  if (x > 10) return leaf(x) + 1;
  return leaf(x - 1) * 2;
}

__attribute__((noinline)) int outer(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) {
    sum += middle(i);
    if (__builtin_expect(sum < -100000, 0)) __builtin_trap();
  }
  return sum;
}

void _start(void) {
  sink = outer(100);
  for (;;) sink = middle(sink);
}
