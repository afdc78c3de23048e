// Templates of the standard library, lambdas, exceptions: deep chains of inlined functions.
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace outer {
namespace {
struct Key {
  int value;
  explicit Key(int v) : value(v) {}
  int get() const { return value; }
};
}  // namespace

template <class T>
struct Box {
  T held;
  explicit Box(T value) : held(value) {}
  T twice() { return held + held; }
  static int count(int n) { return n * 2; }
};

int run(int n) {
  std::map<std::string, int> numbers;
  std::vector<Key> keys;
  for (int i = 0; i < n; i++) {
    numbers[std::to_string(i)] = i;
    keys.push_back(Key(i));
  }
  std::sort(keys.begin(), keys.end(), [](const Key &a, const Key &b) { return a.get() > b.get(); });
  Box<int> box(n);
  return numbers.size() + keys[0].get() + box.twice() + Box<long>::count(n);
}
}  // namespace outer

extern "C" int plain(int x) {
  struct Local {
    int factor;
    int times(int y) { return y * factor; }
  } local{x};
  return local.times(x) + outer::run(x);
}

int main(int argc, char **) {
  std::cout << plain(argc * 50) << std::endl;
  try {
    throw std::string("thrown");
  } catch (std::string &text) {
    std::cout << text;
  }
  return 0;
}
