// The threads that help: Eigen's pools, and a word about staying awake.
//
// A thread that sleeps takes 10 to 30 us to come (on a virtual machine; the minibatches of an
// update follow each other every 100 us, with 6 us of serial work in between). So a helper that has
// finished looks for the next work for a while before it goes back to its pool, where it sleeps,
// and takes it within 0.3 us. On an AVX2 machine a minibatch of two 64 x 64 networks, 162 us on one
// thread, then took 97 us on two; without staying awake 102 to 116.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unsupported/Eigen/CXX11/ThreadPool>
#include <utility>
#include <vector>

namespace pgfast {

// How long a thread stays awake for what comes next: Python's time between two calls, several times
// what waking would cost.
inline constexpr std::chrono::microseconds stay_awake{100};

// Whether `done()` becomes true while the thread stays awake for it. It lets others run meanwhile.
template <class F>
bool awake_until(F&& done) {
  const auto end = std::chrono::steady_clock::now() + stay_awake;
  do {
    if (done()) return true;
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

class ThreadTeam {
 public:
  // What a helper does once; it may come late, and twice.
  using Work = std::function<void()>;

  static ThreadTeam& instance() {
    static auto* team = new ThreadTeam;  // never destroyed: its threads end with the process
    return *team;
  }

  int num_threads() const { return num_threads_.load(std::memory_order_relaxed); }

  void set_num_threads(int n) {
    const std::lock_guard lock(mutex_);
    num_threads_.store(n, std::memory_order_relaxed);
  }

  // The most helpers that a call has asked for since this was called last. Without it, a test of
  // what threads do could not tell that its work has become too small for them.
  int most_helpers_asked() { return most_asked_.exchange(0, std::memory_order_relaxed); }

  // Has up to `helpers` threads do the work: those that are awake, then others. Where the system
  // has no memory or no thread left there are fewer; the caller does the work anyway.
  void help(int helpers, const Work& work) noexcept {
    int most = most_asked_.load(std::memory_order_relaxed);
    while (helpers > most && !most_asked_.compare_exchange_weak(most, helpers)) {
    }
    try {
      for (int asleep = offer(helpers, work); asleep > 0; --asleep) {
        Helper* helper = idle();
        if (!helper) return;
        try {
          helper->thread.Schedule(
              [this, helper, first = work]() mutable { serve(*helper, std::move(first)); });
        } catch (...) {
          const std::lock_guard lock(mutex_);
          helper->busy = false;
          throw;
        }
      }
    } catch (...) {  // what was offered may be taken; nobody else is called
    }
  }

 private:
  // A pool of one thread each: of a larger one whose last thread is refused, Eigen can't take back
  // the first.
  struct Helper {
    Eigen::ThreadPool thread{1};
    bool busy = false;  // at work, or looking for it
  };

  ThreadTeam() : num_threads_(default_num_threads()) {
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().begin_anew(); });
  }

  // In a forked child, which has no helpers; joining their threads would hang, so let go of them.
  void begin_anew() {
    new std::vector<std::unique_ptr<Helper>>(std::move(helpers_));
    helpers_.clear();
    awake_ = places_ = 0;
    mutex_.unlock();
  }

  // Offers the work to helpers that look for some, or will when they are done with what they do,
  // and gives how many are to be woken beside them. Without those that are about to be done, a call
  // that follows the last one at once would have none.
  int offer(int helpers, const Work& work) {
    const std::lock_guard lock(mutex_);
    const auto asleep =
        std::ranges::count_if(helpers_, [](const auto& helper) { return !helper->busy; });
    const int missing = std::max(0, num_threads() - 1 - static_cast<int>(helpers_.size()));
    const int woken = std::min(std::max(0, helpers - awake_), static_cast<int>(asleep) + missing);
    places_ = 0;
    if (woken < helpers) {
      work_ = work;
      places_ = helpers - woken;
      offers_.fetch_add(1, std::memory_order_release);
    }
    return woken;
  }

  // One that sleeps, busy from now on; null where all are busy and there are enough of them.
  Helper* idle() {
    const std::lock_guard lock(mutex_);
    for (const auto& helper : helpers_) {
      if (!std::exchange(helper->busy, true)) return helper.get();
    }
    if (static_cast<int>(helpers_.size()) >= num_threads() - 1) return nullptr;
    helpers_.push_back(std::make_unique<Helper>());
    helpers_.back()->busy = true;
    return helpers_.back().get();
  }

  void serve(Helper& self, Work work) {
    do {
      work();
      work = nullptr;  // its memory is not kept while the helper waits
    } while (next(self, work));
  }

  // Whether there is more to do before the helper goes to sleep.
  bool next(Helper& self, Work& work) {
    std::uint64_t seen = 0;
    const auto take = [&] {
      seen = offers_.load(std::memory_order_relaxed);
      if (places_ == 0) return false;
      work = --places_ == 0 ? std::exchange(work_, nullptr) : work_;
      return true;
    };
    {
      const std::lock_guard lock(mutex_);
      if (take()) return true;
      ++awake_;
    }
    const bool found = awake_until([&] {
      if (offers_.load(std::memory_order_acquire) == seen) return false;
      const std::lock_guard lock(mutex_);
      return take();
    });
    const std::lock_guard lock(mutex_);
    --awake_;
    self.busy = found;
    return found;
  }

  // PGFAST_NUM_THREADS where it is a positive number, else the processors this process may use.
  static int default_num_threads() {
    if (const char* text = std::getenv("PGFAST_NUM_THREADS")) {
      if (const int n = std::atoi(text); n > 0) return n;
    }
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
    return 1;
  }

  std::mutex mutex_;  // of all below but the atomics
  std::atomic<int> num_threads_;
  std::atomic<int> most_asked_{0};
  std::atomic<std::uint64_t> offers_{0};  // how often work was offered to helpers that are awake
  Work work_;                             // the last of it,
  int places_ = 0;                        // and how many may still take it
  int awake_ = 0;                         // helpers that look for work
  std::vector<std::unique_ptr<Helper>> helpers_;
};

}  // namespace pgfast
