// A program for gperftools: templates, inlined calls, recursion, a library. Usage: workload SECONDS
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shop {

template <typename T>
struct Basket {
  std::map<std::string, T> items;
  void put(const std::string &name, T count) { items[name] += count; }
};

__attribute__((noinline)) static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static inline __attribute__((always_inline)) double weigh(double x) { return x * x / (1 + x); }

__attribute__((noinline)) double total(const std::vector<double> &prices) {
  double sum = 0;
  for (double price : prices) sum += weigh(price);
  return sum;
}

}  // namespace shop

int main(int, char **argv) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[1]));
  std::vector<std::unique_ptr<shop::Basket<int>>> kept;
  volatile double sink = 0;
  while (std::chrono::steady_clock::now() < until) {
    sink = sink + shop::fibonacci(20);
    std::vector<double> prices(4096, 2.5);
    sink = sink + shop::total(prices);
    auto basket = std::make_unique<shop::Basket<int>>();
    for (int i = 0; i < 200; i++) basket->put("item " + std::to_string(i * 7919 % 200), i);
    kept.push_back(std::move(basket));
    if (kept.size() > 64) kept.erase(kept.begin(), kept.begin() + 32);
  }
}
