#include <numeric>

#include "pgfast/ordered_sum.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

TEST(any_order, "Blocks that are finished in any order are added in theirs: the same bits.") {
  check::for_each_scalar([]<class S>() {
    constexpr Index size = 37, blocks = 6;
    const auto parts = check::normals<S>(size * blocks, 1);
    Array<S> expected(size);
    expected.set(0, parts.segment(0, size));
    for (Index block = 1; block < blocks; ++block) {
      for (Index i = 0; i < size; ++i) expected[i] += parts[block * size + i];
    }
    std::vector<Index> order(blocks);
    std::iota(order.begin(), order.end(), Index{0});
    do {
      Array<S> total(size);
      total.fill(S{9});  // what was there plays no part
      OrderedSum<S> sum(total.data(), size, blocks);
      for (const Index block : order) {
        S* part = sum.zeros(block);
        for (Index i = 0; i < size; ++i) part[i] += parts[block * size + i];
        sum.add(block, part);
      }
      CHECK_SAME(total, expected);
    } while (std::next_permutation(order.begin(), order.end()));
  });
}

TEST(few_buffers, "One block after another takes turns with one buffer beside the total.") {
  Array<double> total(8);
  OrderedSum<double> sum(total.data(), 8, 100);
  const double* first = nullptr;
  for (Index block = 0; block < 100; ++block) {
    double* part = sum.zeros(block);
    if (block == 0) CHECK(part == total.data());
    if (block == 1) first = part;
    if (block > 1) CHECK(part == first);
    for (Index i = 0; i < 8; ++i) {
      CHECK_EQ(part[i], 0.0);
      part[i] = 1;
    }
    sum.add(block, part);
  }
  for (Index i = 0; i < 8; ++i) CHECK_EQ(total[i], 100.0);
}

TEST(on_threads, "Summed by threads, the bits are the same on any number of them.") {
  constexpr Index size = 1000, blocks = 50;
  const auto parts = check::normals<float>(size * blocks, 2);
  check::same_on_any_threads([&] {
    Array<float> total(size);
    OrderedSum<float> sum(total.data(), size, blocks);
    parallel_for(blocks, worth_a_thread, [&](Index block) {
      float* part = sum.zeros(block);
      for (Index i = 0; i < size; ++i) part[i] += parts[block * size + i];
      sum.add(block, part);
    });
    return std::tuple(total);
  });
}

}  // namespace
}  // namespace pgfast
