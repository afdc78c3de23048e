// Namespaces, a template, a lambda, functions without linkage names.
static volatile int sink;

namespace outer {
namespace {
struct Kept {
  int value;
  __attribute__((always_inline)) int get() const { return value + sink; }
};
__attribute__((noinline)) int hidden(int x) {
  Kept kept{x};
  return kept.get() * 2;
}
}  // namespace
template <class T>
struct Box {
  T held;
  __attribute__((noinline)) T twice() { return held + held + sink; }
};
int run(int n) {
  Box<int> box{n};
  auto add = [&](int x) { return x + box.held + sink; };
  return hidden(n) + box.twice() + add(3);
}
}  // namespace outer

extern "C" void _start() {
  for (;;) sink = outer::run(sink);
}
