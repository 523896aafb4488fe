// One network in epochs of minibatches: the gradient over a minibatch's samples, in blocks that any
// thread takes, and Adam's step along it.
//
//   g <- sum over the blocks, in their order, of what a tile adds for 32 samples at a time
//   theta <- Adam along g, when the next minibatch begins
//
// The step waits, so that the threads that go on with the network make it, and have parameters in
// their caches: two 64 x 64 networks and 256 samples take 69 us on one thread and 38 on two.
//
// Memory plan: a tile of 32 samples is gathered from the batch, then the network goes forward and
// back over it while it lies in the first-level cache. A block is 128 samples, or a 64th of a large
// minibatch. Tiles are made once per thread and call, gradients about once per thread and call
// (where one block is held up, at worst one for each block).
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "pgfast/networks/outputs.hpp"
#include "pgfast/optimizers.hpp"
#include "pgfast/ordered_sum.hpp"
#include "pgfast/parallel.hpp"
#include "pgfast/pending.hpp"
#include "pgfast/work_memory.hpp"

namespace pgfast::detail {

// Shortens the vector to `longest` where it is longer; gives its length. The sum is in double, of
// 32 lanes: with 8, each addition would wait for the one before.
template <class S>
double shorten(S* vector, Index n, double longest) {
  Lanes<double, chunk> lanes = Lanes<double, chunk>::Zero();
  Index i = 0;
  for (; i + chunk <= n; i += chunk) {
    lanes += Eigen::Map<Lanes<S, chunk>>(vector + i).template cast<double>().square();
  }
  double square = lanes.sum();
  for (; i < n; ++i) square += static_cast<double>(vector[i]) * vector[i];
  const double norm = std::sqrt(square);
  if (norm > longest) {
    const S factor = static_cast<S>(longest / norm);
    for (i = 0; i < n; ++i) vector[i] *= factor;
  }
  return norm;
}

// make_tile() makes a tile; tile.add(order, rows, scale, gradient) adds the samples' gradients and
// gives their sums, which are added up, too, and takes about `sample_ns` nanoseconds of each.
template <class S, class MakeTile>
class MinibatchNetwork {
  using Tile = typename std::invoke_result_t<MakeTile>::element_type;

 public:
  using Sums = decltype(std::declval<Tile&>().add(nullptr, Index{}, S{}, nullptr));

  // Adam climbs where `sign` is 1, and goes down where it is -1.
  MinibatchNetwork(AdamParameters<S>& parameters, S sign, double sample_ns, MakeTile make_tile)
      : parameters_(parameters),
        sign_(sign),
        sample_ns_(sample_ns),
        make_tile_(std::move(make_tile)),
        gradient_(parameters.size),
        sum_(gradient_.data(), parameters.size, 0) {}
  MinibatchNetwork(const MinibatchNetwork&) = delete;
  ~MinibatchNetwork() { make_step(); }

  // The minibatch of the samples that `order` (count) names; `scale` is that of their gradients.
  void begin(const Index* order, Index count, S scale) {
    order_ = order;
    scale_ = scale;
    blocks_ = SampleBlocks(count, sample_ns_, block_samples);
    sum_.begin(blocks_.count());
    sums_.assign(static_cast<std::size_t>(blocks_.count()), Sums{});
  }

  // Its blocks, for parallel_for.
  auto blocks() {
    return Blocks{blocks_.count(), blocks_.block_ns(), [this](Index block) { add(block); }};
  }

  // After all blocks: the sums of all tiles, in the order of the blocks.
  Sums sums() const {
    Sums total{};
    for (const Sums& sums : sums_) total += sums;
    return total;
  }

  // Shortens the gradient to `longest` where it is longer; gives its length.
  double shorten(double longest) {
    return detail::shorten(gradient_.data(), parameters_.size, longest);
  }

  // Adam's next step, along the gradient; the next minibatch's blocks make it, or the destructor.
  void begin_step() {
    ++parameters_.count;
    step_.begin(ceil_div(parameters_.size, part_size));
    tiles_.for_each([](Tile& tile) { tile.theta_changed(); });
  }

 private:
  static constexpr Index block_samples = 128;
  // Parameters of a part, 0.3 us of Adam. On two threads a minibatch of a 256 x 256 network takes 2
  // % less than where one of them makes the whole step; one of a 64 x 64 network as long.
  static constexpr Index part_size = 2048;

  void make_step() {
    step_.settle([&](Index part) {
      parameters_.step_part(gradient_.data(), sign_, part * part_size,
                            std::min(parameters_.size, (part + 1) * part_size));
    });
  }

  void add(Index block) {
    make_step();
    const auto tile = tiles_.borrow(make_tile_);
    S* gradient = sum_.zeros(block);
    Sums sums{};
    for_each_tile(blocks_.begin(block), blocks_.end(block), [&](Index first, Index rows) {
      sums += tile->add(order_ + first, rows, scale_, gradient);
    });
    sums_[static_cast<std::size_t>(block)] = sums;
    sum_.add(block, gradient);
  }

  AdamParameters<S>& parameters_;
  const S sign_;
  const double sample_ns_;
  const MakeTile make_tile_;
  WorkMemory<Tile> tiles_;
  Buffer<S> gradient_;
  Pending step_;
  const Index* order_ = nullptr;
  S scale_{};
  SampleBlocks blocks_{0, 1};
  OrderedSum<S> sum_;
  std::vector<Sums> sums_;
};

}  // namespace pgfast::detail
