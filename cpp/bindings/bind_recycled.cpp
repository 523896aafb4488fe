#include <pybind11/pybind11.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "recycled.hpp"

namespace pgfast::bindings {
namespace {

constexpr std::align_val_t alignment{64};

class Recycler {
 public:
  // Never destroyed: arrays may outlive whatever is destroyed at the end of the process.
  static Recycler& instance() {
    static Recycler& recycler = *new Recycler;
    return recycler;
  }

  const MemoryBlock* take(std::size_t size) {
    size = (size + 4095) / 4096 * 4096;
    const std::lock_guard lock(mutex_);
    auto best = kept_.end();
    for (auto it = kept_.begin(); it != kept_.end(); ++it) {
      const std::size_t offered = (*it)->size;
      if (offered < size || offered > size + size / 4) continue;
      if (best == kept_.end() || offered <= (*best)->size) best = it;
    }
    if (best == kept_.end()) return make(size);
    const MemoryBlock* block = *best;
    kept_.erase(best);
    use_.kept -= block->size;
    use_.used += block->size;
    peak_ = std::max(peak_, use_.used);
    return block;
  }

  void give_back(const MemoryBlock* block) noexcept {
    const std::lock_guard lock(mutex_);
    use_.used -= block->size;
    if (block->size > keep_limit) return free(block);
    kept_.push_back(block);  // has room: `make` reserved it
    use_.kept += block->size;
    while (use_.kept > keep_limit) free_oldest();
  }

  MemoryUse use() {
    const std::lock_guard lock(mutex_);
    return use_;
  }

 private:
  const MemoryBlock* make(std::size_t size) {
    const std::size_t used = use_.used + size, peak = std::max(peak_, used);
    while (!kept_.empty() && used + use_.kept > peak) free_oldest();
    kept_.reserve(blocks_ + 1);
    auto block = std::make_unique<MemoryBlock>(nullptr, size);
    block->data = ::operator new(size, alignment);
    ++blocks_;
    use_.used = used;
    peak_ = peak;  // only now: memory that was refused was never in use
    return block.release();
  }
  void free_oldest() noexcept {
    use_.kept -= kept_.front()->size;
    free(kept_.front());
    kept_.erase(kept_.begin());
  }
  void free(const MemoryBlock* block) noexcept {
    --blocks_;
    ::operator delete(block->data, alignment);
    delete block;
  }

  std::mutex mutex_;
  std::vector<const MemoryBlock*> kept_;  // the oldest first
  std::size_t blocks_ = 0;                // in use and kept
  std::size_t peak_ = 0;                  // of the bytes in use
  MemoryUse use_{0, 0};
};

}  // namespace

const MemoryBlock* take_block(std::size_t size) { return Recycler::instance().take(size); }
void give_block_back(const MemoryBlock* block) noexcept { Recycler::instance().give_back(block); }
MemoryUse memory_use() { return Recycler::instance().use(); }

void bind_recycled(pybind11::module_& m) {
  m.def("memory_use", [] {
    const MemoryUse use = memory_use();
    return pybind11::make_tuple(use.used, use.kept);
  });
}

}  // namespace pgfast::bindings
