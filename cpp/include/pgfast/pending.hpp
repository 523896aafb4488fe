// Something in parts that is to be done before the next blocks of a parallel loop can begin, and
// that these do: each takes parts until there are none left, and waits for those of others.
//
// So a step of an optimizer is made by the threads that read the parameters next, whose caches then
// have some of them, and the steps of two networks are made at the same time.
#pragma once

#include <atomic>
#include <thread>

#include "pgfast/arrays.hpp"

namespace pgfast {

class Pending {
 public:
  // Between two loops: there are parts to be done again.
  void begin(Index parts) {
    parts_ = parts;
    next_.store(0, std::memory_order_relaxed);
    left_.store(parts, std::memory_order_relaxed);
  }

  // In every block: f(part) for parts in [0, parts) that nobody has taken; when it returns, all are
  // done. f must be short, and not throw.
  template <class F>
  void settle(F&& f) {
    if (left_.load(std::memory_order_acquire) == 0) return;
    for (Index part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < parts_;) {
      f(part);
      left_.fetch_sub(1, std::memory_order_acq_rel);
    }
    while (left_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  }

 private:
  Index parts_ = 0;
  std::atomic<Index> next_{0}, left_{0};
};

}  // namespace pgfast
