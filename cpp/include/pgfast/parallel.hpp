// Work in blocks, on any number of threads, with the same bits.
//
// A block's result depends on the block alone, never on the thread that ran it, and partial sums
// are added in block order. Blocks are claimed from a shared counter by the calling thread and by
// helpers. The caller waits for claimed blocks, not for helpers: a helper
// that comes late finds nothing to do, and where no helper ever comes (in a forked child, which
// inherits no threads) the caller does the whole work itself.
#pragma once

#include <exception>

#include "pgfast/ordered_sum.hpp"
#include "pgfast/thread_team.hpp"

namespace pgfast {

// Nanoseconds of work that one more thread is called for. A helper that is awake takes it in 0.3
// us, one that sleeps in 10 to 30; with less than this for each, calling them costs more than it
// brings.
inline constexpr Index worth_a_thread = 10'000;

namespace detail {

// What the caller and its helpers share of two lists of blocks; the last of them frees it.
class Claims {
 public:
  Claims(Index first, Index second) : counts_{first, second} {}

  // run(block) for every block of a list that nobody has claimed before.
  template <class Run>
  void take(int list, const Run& run) {
    for (;;) {
      const Index block = next_[list].fetch_add(1, std::memory_order_relaxed);
      if (block >= counts_[list]) return;
      try {  // a block's work memory may be refused; the others must still be waited for
        run(block);
      } catch (...) {
        if (!failed_.exchange(true)) failure_ = std::current_exception();
      }
      if (finished_.fetch_add(1, std::memory_order_acq_rel) + 1 == all()) finished_.notify_all();
    }
  }

  // Until all blocks of both lists are finished; throws what the first that failed has thrown.
  void wait() {
    const auto finished = [&] { return finished_.load(std::memory_order_acquire); };
    if (!awake_until([&] { return finished() == all(); })) {
      for (Index done; (done = finished()) != all();) {
        finished_.wait(done, std::memory_order_acquire);
      }
    }
    if (failed_.load()) {  // taken out: a late helper must not be the one that frees it
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
  }

 private:
  Index all() const { return counts_[0] + counts_[1]; }

  const Index counts_[2];
  std::atomic<Index> next_[2]{0, 0};
  std::atomic<Index> finished_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
};

}  // namespace detail

// A list of blocks: run(block) for block in [0, count), each of about `ns` nanoseconds or more.
template <class F>
struct Blocks {
  Index count, ns;
  F run;
};
template <class F>
Blocks(Index, Index, F&&) -> Blocks<F>;  // of a function that has a name, a reference to it

// All blocks of two lists. The calling thread begins with the first list, helpers with the second;
// who finds his empty goes on with the other. So where the lists work on different data, and are
// done again and again, a thread mostly finds in its own cache what it left there.
template <class F, class G>
void parallel_for(const Blocks<F>& first, const Blocks<G>& second) {
  ThreadTeam& team = ThreadTeam::instance();
  const Index count = first.count + second.count;
  const Index ns = first.count * first.ns + second.count * second.ns;
  const Index threads = std::min<Index>({team.num_threads(), count, ns / worth_a_thread});
  if (threads <= 1) {
    for (Index block = 0; block < first.count; ++block) first.run(block);
    for (Index block = 0; block < second.count; ++block) second.run(block);
    return;
  }
  const auto shared = std::make_shared<detail::Claims>(first.count, second.count);
  // The lists live on the caller's stack: only a thread that has claimed a block touches them, and
  // the caller leaves only when every claimed block is finished.
  const auto run_first = [&first](Index block) { first.run(block); };
  const auto run_second = [&second](Index block) { second.run(block); };
  team.help(static_cast<int>(threads) - 1, [shared, run_first, run_second] {
    shared->take(1, run_second);
    shared->take(0, run_first);
  });
  shared->take(0, run_first);
  shared->take(1, run_second);
  shared->wait();
}

// All blocks of one list.
template <class F>
void parallel_for(const Blocks<F>& blocks) {
  const auto nothing = [](Index) {};
  parallel_for(blocks, Blocks{0, 0, nothing});
}

// f(block) for block in [0, blocks), each of which takes about `block_ns` nanoseconds or more.
template <class F>
void parallel_for(Index blocks, Index block_ns, F&& f) {
  parallel_for(Blocks<F&>{blocks, block_ns, f});
}

// How a batch of samples is cut, of which each takes about `sample_ns` nanoseconds: whole tiles, at
// least `least` samples and half as much work as is worth a thread (so that what a block sets up is
// little beside it: to a 64 x 64 network's gradient in blocks of 512 samples, blocks of 256 add 1
// to 2 %, blocks of 128 4 to 5), at most 64 blocks (so that adding their sums is). A function of
// the batch and its work, never of the threads, so that sums are the same on any number of them.
class SampleBlocks {
 public:
  SampleBlocks(Index samples, double sample_ns, Index least = 256)
      : samples_(samples), sample_ns_(sample_ns) {
    const auto worth = static_cast<Index>(worth_a_thread / 2 / sample_ns);
    block_size_ = ceil_div(std::max({least, worth, ceil_div(samples, 64)}), tile_rows) * tile_rows;
  }
  Index count() const { return ceil_div(samples_, block_size_); }
  Index block_size() const { return block_size_; }
  Index begin(Index block) const { return block * block_size_; }
  Index end(Index block) const { return std::min(samples_, (block + 1) * block_size_); }
  // Of one block, on average.
  Index block_ns() const {
    return static_cast<Index>(static_cast<double>(samples_) * sample_ns_) /
           std::max<Index>(count(), 1);
  }

 private:
  Index samples_;
  double sample_ns_;
  Index block_size_;
};

// f(begin, end) over all samples, each of about `sample_ns` nanoseconds.
template <class F>
void for_each_block(Index samples, double sample_ns, F&& f) {
  const SampleBlocks blocks(samples, sample_ns);
  parallel_for(blocks.count(), blocks.block_ns(),
               [&](Index block) { f(blocks.begin(block), blocks.end(block)); });
}

// out (size) = sum over blocks, in block order, of what f(begin, end, partial) adds to `partial`.
// Blocks run in waves, so that their sums take no more than 32 MiB even where one block is held up.
template <class S, class F>
void sum_over_blocks(Index samples, double sample_ns, Index size, S* out, F&& f) {
  const SampleBlocks blocks(samples, sample_ns);
  const Index fit = (Index{32} << 20) / (std::max<Index>(size, 1) * Index{sizeof(S)});
  const Index count = blocks.count(), wave = std::max<Index>(1, std::min(fit, count));
  OrderedSum<S> sum(out, size, count);
  if (count == 0) sum.zeros(0);
  for (Index first = 0; first < count; first += wave) {
    parallel_for(std::min(wave, count - first), blocks.block_ns(), [&](Index i) {
      const Index block = first + i;
      S* partial = sum.zeros(block);
      f(blocks.begin(block), blocks.end(block), partial);
      sum.add(block, partial);
    });
  }
}

}  // namespace pgfast
