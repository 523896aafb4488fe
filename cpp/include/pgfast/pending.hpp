// Something that is to be done before the next blocks of a parallel loop can begin, and that one of
// them does: whichever comes first; others wait for it.
//
// So a step of an optimizer is made by the thread that reads the parameters next, whose cache then
// has them, and the steps of two networks are made at the same time.
#pragma once

#include <atomic>
#include <thread>

namespace pgfast {

class Pending {
 public:
  // Between two loops: there is something to do again.
  void begin() { state_.store(waiting, std::memory_order_relaxed); }

  // In every block: does it, or waits until it is done. It must be short, and not throw.
  template <class F>
  void settle(F&& f) {
    if (state_.load(std::memory_order_acquire) == settled) return;
    int expected = waiting;
    if (state_.compare_exchange_strong(expected, underway, std::memory_order_acquire)) {
      f();
      state_.store(settled, std::memory_order_release);
    } else {
      while (state_.load(std::memory_order_acquire) != settled) std::this_thread::yield();
    }
  }

 private:
  enum : int { settled, waiting, underway };
  std::atomic<int> state_{settled};
};

}  // namespace pgfast
