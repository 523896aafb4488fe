// Something that is to be done before the next blocks of a parallel loop can begin, and that one of
// them does: whichever comes first; others wait for it.
//
// So a step of an optimizer is made by the thread that reads the parameters next, whose cache then
// has them, and the steps of two networks are made at the same time.
#pragma once

#include <atomic>
#include <thread>
#include <utility>

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

// f() at the end of a scope, also where an exception ends it; it must not throw.
template <class F>
class AtExit {
 public:
  explicit AtExit(F f) : f_(std::move(f)) {}
  AtExit(const AtExit&) = delete;
  ~AtExit() { f_(); }

 private:
  F f_;
};
template <class F>
AtExit<F> at_exit(F f) {
  return AtExit<F>(std::move(f));
}

}  // namespace pgfast
