// Work in blocks of fixed size, on any number of threads, with the same bits.
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
  team.help(static_cast<int>(threads) - 1, work);
  work();
  const auto finished = [&] { return shared->finished.load(std::memory_order_acquire); };
  if (!awake_until([&] { return finished() == blocks; })) {
    for (Index done; (done = finished()) != blocks;) {
      shared->finished.wait(done, std::memory_order_acquire);
    }
  }
  if (shared->failed.load()) {  // taken out: a late helper must not be the one that frees it
    std::rethrow_exception(std::exchange(shared->failure, nullptr));
  }
}

// How a batch of samples is cut: whole tiles, at least 512 samples (as much of the smallest network
// as is worth a thread), at most 64 blocks (so that adding their sums stays little work). A
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
// Blocks run in waves, so that their sums take no more than 32 MiB even where one block is held up.
template <class S, class F>
void sum_over_blocks(Index batch, Index size, S* out, F&& f) {
  const SampleBlocks blocks(batch);
  const Index fit = (Index{32} << 20) / (std::max<Index>(size, 1) * Index{sizeof(S)});
  const Index count = blocks.count(), wave = std::max<Index>(1, std::min(fit, count));
  OrderedSum<S> sum(out, size, count);
  if (count == 0) sum.zeros(0);
  for (Index first = 0; first < count; first += wave) {
    parallel_for(std::min(wave, count - first), worth_a_thread, [&](Index i) {
      const Index block = first + i;
      S* partial = sum.zeros(block);
      f(blocks.begin(block), blocks.end(block), partial);
      sum.add(block, partial);
    });
  }
}

}  // namespace pgfast
