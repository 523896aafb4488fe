// The sum of blocks' vectors in the order of the blocks, whichever is finished first:
//
//   total = (((p_0 + p_1) + p_2) + ...)
//
// so that it has the same bits on any number of threads.
//
// Memory plan: block 0 adds to the total itself, every other block to a buffer of zeros, which is
// added to the total and free again as soon as all blocks before it have been. There are about as
// many buffers as threads; where one block is held up, at worst as many as blocks.
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "pgfast/arrays.hpp"

namespace pgfast {

template <class S>
class OrderedSum {
 public:
  OrderedSum(S* total, Index size, Index blocks) : total_(total), size_(size) { begin(blocks); }

  // Another sum, of so many blocks, after all of the last one's have been added.
  void begin(Index blocks) {
    next_ = 0;
    finished_.assign(static_cast<std::size_t>(blocks), nullptr);
  }

  // Zeros for a block to add to.
  S* zeros(Index block) {
    S* sum = block == 0 ? total_ : unused();
    std::fill(sum, sum + size_, S{0});
    return sum;
  }

  // The block has added all that it had to its zeros.
  void add(Index block, S* sum) {
    const std::lock_guard lock(mutex_);
    finished_[static_cast<std::size_t>(block)] = sum;
    for (; next_ < finished_.size() && finished_[next_]; ++next_) {
      S* part = finished_[next_];
      if (part == total_) continue;
      for (Index i = 0; i < size_; ++i) total_[i] += part[i];
      unused_.push_back(part);
    }
  }

 private:
  S* unused() {
    const std::lock_guard lock(mutex_);
    if (unused_.empty()) {
      buffers_.emplace_back(size_);
      return buffers_.back().data();
    }
    S* sum = unused_.back();
    unused_.pop_back();
    return sum;
  }

  S* total_;
  Index size_;
  std::mutex mutex_;          // of all below
  std::size_t next_ = 0;      // blocks that are in the total
  std::vector<S*> finished_;  // by block; null where one is not finished
  std::vector<S*> unused_;
  std::vector<Buffer<S>> buffers_;
};

}  // namespace pgfast
