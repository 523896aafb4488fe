// Memory of large outputs, used again. The system clears every new page, which takes longer than
// most kernels need to fill it; pages that were written before cost nothing.
#pragma once

#include <cstddef>

namespace pgfast::bindings {

struct MemoryBlock {
  void* data;  // at a multiple of 64 bytes
  std::size_t size;
};

// Smaller blocks than these 16 pages malloc keeps itself.
inline constexpr std::size_t recycled_from = std::size_t{1} << 16;

// At most so much is kept while it is not in use: a rollout of 4096 environments x 512 steps of 16
// float32, say. What is larger takes so long to be filled that new pages are a small part of it.
inline constexpr std::size_t keep_limit = std::size_t{1} << 28;

// A block of at least `size` bytes, its contents anything; it is the caller's alone until it is
// given back. A request takes the smallest block that was kept and holds it, if that is no more
// than a quarter too large.
//
// Blocks in use and blocks kept together never take more than was once in use at the same time:
// what was kept longest goes first. Any thread may call, at any time.
const MemoryBlock* take_block(std::size_t size);
void give_block_back(const MemoryBlock* block) noexcept;

struct MemoryUse {
  std::size_t used, kept;  // bytes
};
MemoryUse memory_use();

}  // namespace pgfast::bindings
