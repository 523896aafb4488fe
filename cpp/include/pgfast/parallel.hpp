// Work in blocks of fixed size, on any number of threads, with the same bits.
//
// A block's result depends on the block alone, never on the thread that ran it, and partial sums
// are added in block order. Blocks are claimed from a shared counter by the calling thread and by
// helpers from Eigen's thread pool. The caller waits for claimed blocks, not for helpers: a helper
// that comes late finds nothing to do, and where no helper ever comes (in a forked child, which
// inherits no threads) the caller does the whole work itself.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <unsupported/Eigen/CXX11/ThreadPool>
#include <utility>

#include "pgfast/arrays.hpp"

namespace pgfast {

class ThreadTeam {
 public:
  static ThreadTeam& instance() {
    static auto* team = new ThreadTeam;  // never destroyed: its threads end with the process
    return *team;
  }

  int num_threads() const { return num_threads_.load(std::memory_order_relaxed); }

  void set_num_threads(int n) {
    const std::lock_guard lock(mutex_);
    num_threads_.store(n, std::memory_order_relaxed);
  }

  // A pool with at least `helpers` threads. A pool that is too small is replaced; a call that still
  // runs on the old one keeps it alive.
  std::shared_ptr<Eigen::ThreadPool> pool(int helpers) {
    const std::lock_guard lock(mutex_);
    if (!pool_ || pool_->NumThreads() < helpers) {
      pool_ = std::make_shared<Eigen::ThreadPool>(helpers);
    }
    return pool_;
  }

 private:
  ThreadTeam() : num_threads_(default_num_threads()) {
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] {
                     // The child has no pool threads; joining them would hang, so let go of them.
                     new std::shared_ptr<Eigen::ThreadPool>(std::move(instance().pool_));
                     instance().pool_.reset();
                     instance().mutex_.unlock();
                   });
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

  std::mutex mutex_;
  std::atomic<int> num_threads_;
  std::shared_ptr<Eigen::ThreadPool> pool_;
};

// Nanoseconds of work that one more thread is woken for. A helper that has just run still looks for
// work and takes it in 0.3 us; one that has gone to sleep comes after 5 us, on a virtual machine
// after 30, and then finds what the caller has left over. With less than this for each, calling
// them cost more than they brought.
inline constexpr Index worth_a_thread = 10'000;

// Tells the processor that this thread only looks whether another one is done.
inline void look_again() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// f(block) for block in [0, blocks), each of which takes about `block_ns` nanoseconds or more.
template <class F>
void parallel_for(Index blocks, Index block_ns, F&& f) {
  ThreadTeam& team = ThreadTeam::instance();
  const Index threads =
      std::min<Index>({team.num_threads(), blocks, blocks * block_ns / worth_a_thread});
  if (threads <= 1) {
    for (Index block = 0; block < blocks; ++block) f(block);
    return;
  }
  struct Shared {
    std::atomic<Index> next{0};
    std::atomic<Index> finished{0};
    std::atomic<bool> failed{false};
    std::exception_ptr failure;
  };
  auto shared = std::make_shared<Shared>();
  // `f` lives on the caller's stack: only a thread that has claimed a block touches it, and the
  // caller leaves only when every claimed block is finished.
  const auto work = [shared, blocks, &f] {
    for (;;) {
      const Index block = shared->next.fetch_add(1, std::memory_order_relaxed);
      if (block >= blocks) return;
      try {  // a block's work memory may be refused; the others must still be waited for
        f(block);
      } catch (...) {
        if (!shared->failed.exchange(true)) shared->failure = std::current_exception();
      }
      if (shared->finished.fetch_add(1, std::memory_order_acq_rel) + 1 == blocks) {
        shared->finished.notify_all();
      }
    }
  };
  const auto pool = team.pool(static_cast<int>(threads) - 1);
  for (Index helper = 1; helper < threads; ++helper) pool->Schedule(work);
  work();
  // The others are mostly done within a block's time. To sleep meanwhile and be woken takes longer:
  // two blocks of 20 us, one for each of two threads, took 64 us that way and take 30 where the
  // caller looks on. 2000 looks are 30 to 90 us.
  const auto done = [&] { return shared->finished.load(std::memory_order_acquire); };
  for (int look = 0; look < 2000 && done() != blocks; ++look) look_again();
  for (Index now; (now = done()) != blocks;) {
    shared->finished.wait(now, std::memory_order_acquire);
  }
  if (shared->failed.load()) {  // taken out: a late helper must not be the one that frees it
    std::rethrow_exception(std::exchange(shared->failure, nullptr));
  }
}

// How a batch of samples is cut: whole tiles, at least 512 samples (as much of the smallest network
// as is worth a thread), at most 64 blocks (so that partial sums stay small beside the batch). A
// function of the batch size alone, so that sums are the same on any number of threads.
struct SampleBlocks {
  Index samples;
  Index block_size;
  explicit SampleBlocks(Index batch)
      : samples(batch),
        block_size(std::max<Index>(512, ceil_div(ceil_div(batch, 64), tile_rows) * tile_rows)) {}
  Index count() const { return ceil_div(samples, block_size); }
  Index begin(Index block) const { return block * block_size; }
  Index end(Index block) const { return std::min(samples, (block + 1) * block_size); }
};

// f(begin, end) over all samples.
template <class F>
void for_each_block(Index batch, F&& f) {
  const SampleBlocks blocks(batch);
  parallel_for(blocks.count(), worth_a_thread,
               [&](Index block) { f(blocks.begin(block), blocks.end(block)); });
}

// out (size) = sum over blocks, in block order, of what f(begin, end, partial) adds to `partial`.
template <class S, class F>
void sum_over_blocks(Index batch, Index size, S* out, F&& f) {
  const SampleBlocks blocks(batch);
  Eigen::Map<Buffer<S>> total(out, size);
  total.setZero();
  if (blocks.count() == 1) {
    f(Index{0}, batch, out);
    return;
  }
  Buffer<S> partial = Buffer<S>::Zero(blocks.count() * size);
  parallel_for(blocks.count(), worth_a_thread, [&](Index block) {
    f(blocks.begin(block), blocks.end(block), partial.data() + block * size);
  });
  for (Index block = 0; block < blocks.count(); ++block)
    total += partial.segment(block * size, size);
}

}  // namespace pgfast
