// The threads that help: Eigen's pool, and a word about staying awake.
//
// A thread that sleeps takes 10 to 30 us to come (on a virtual machine; the minibatches of an
// update follow each other every 100 us, with 6 us of serial work in between). So a helper that has
// finished looks for the next work for a while before it goes back to the pool, where it sleeps,
// and takes it within 0.3 us. A minibatch of two 64 x 64 networks, 162 us on one thread, then takes
// 97 us on two; without staying awake 102 to 116.
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

  // Has `helpers` threads do the work: those that are awake, and others from the pool.
  void help(int helpers, const Work& work) {
    std::shared_ptr<Eigen::ThreadPool> pool, too_small;  // ends when the lock is free
    int asleep;
    {
      const std::lock_guard lock(mutex_);
      places_ = std::min(helpers, awake_);
      asleep = helpers - places_;
      if (places_ > 0) {
        work_ = work;
        offers_.fetch_add(1, std::memory_order_release);
      }
      if (asleep > 0 && (!pool_ || pool_->NumThreads() < helpers)) {
        too_small = std::move(pool_);  // a call that still runs on it keeps it alive
        pool_ = std::make_shared<Eigen::ThreadPool>(helpers);
      }
      pool = pool_;
    }
    for (int helper = 0; helper < asleep; ++helper) {
      pool->Schedule([this, first = work]() mutable { serve(std::move(first)); });
    }
  }

 private:
  ThreadTeam() : num_threads_(default_num_threads()) {
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().begin_anew(); });
  }

  // In a forked child, which has no helpers; joining the pool's threads would hang, so let go of
  // them.
  void begin_anew() {
    new std::shared_ptr<Eigen::ThreadPool>(std::move(pool_));
    pool_.reset();
    awake_ = places_ = 0;
    mutex_.unlock();
  }

  void serve(Work work) {
    do {
      work();
      work = nullptr;  // its memory is not kept while the helper waits
    } while (next(work));
  }

  // Whether there is more to do before the helper goes to sleep.
  bool next(Work& work) {
    std::uint64_t seen;
    {
      const std::lock_guard lock(mutex_);
      seen = offers_.load(std::memory_order_relaxed);
      ++awake_;
    }
    const auto take = [&] {
      const std::lock_guard lock(mutex_);
      seen = offers_.load(std::memory_order_relaxed);
      if (places_ == 0) return false;
      work = --places_ == 0 ? std::exchange(work_, nullptr) : work_;
      return true;
    };
    const bool found =
        awake_until([&] { return offers_.load(std::memory_order_acquire) != seen && take(); });
    const std::lock_guard lock(mutex_);
    --awake_;
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

  std::mutex mutex_;  // of all below but the two atomics
  std::atomic<int> num_threads_;
  std::atomic<std::uint64_t> offers_{0};  // how often work was offered to helpers that are awake
  Work work_;                             // the last of it,
  int places_ = 0;                        // and how many may still take it
  int awake_ = 0;                         // helpers that look for work
  std::shared_ptr<Eigen::ThreadPool> pool_;
};

}  // namespace pgfast
