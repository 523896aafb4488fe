// Several discrete dimensions at once: a product of independent softmax distributions. z holds the
// logits of one dimension after the other, an action one number for each dimension.
//
//   log p(a)    = sum_j log p_j(a_j); entropy and KL are sums over the dimensions likewise
//   score, M    = those of each dimension, side by side (M is block diagonal)
#pragma once

#include <numeric>
#include <vector>

#include "pgfast/distributions/softmax.hpp"

namespace pgfast {

template <class S>
class MultiSoftmaxTile;

struct MultiSoftmax {
  template <class S>
  using Tile = MultiSoftmaxTile<S>;
  template <class S>
  using Action = DiscreteAction;

  std::vector<Index> sizes;  // of each dimension: its number of actions
  Index parameter_size() const { return std::accumulate(sizes.begin(), sizes.end(), Index{0}); }
  Index action_size() const { return static_cast<Index>(sizes.size()); }
};

// Up to `tile_rows` distributions at once: a softmax tile for each dimension, which reads and
// writes its columns of the arrays.
template <class S>
class MultiSoftmaxTile {
 public:
  explicit MultiSoftmaxTile(const MultiSoftmax& distribution) {
    const Index Z = distribution.parameter_size(), dims = distribution.action_size();
    tiles_.reserve(distribution.sizes.size());
    offsets_.reserve(distribution.sizes.size());
    Index offset = 0;
    for (const Index size : distribution.sizes) {
      tiles_.emplace_back(Softmax{size}, Z, dims);
      offsets_.push_back(offset);
      offset += size;
    }
  }

  // Takes the logits z (rows, Z); everything below belongs to them. mask (rows, Z): true = allowed;
  // null allows all.
  void set(const S* z, Index rows, const bool* mask = nullptr) {
    rows_ = rows;
    each([&](auto& tile, Index j) {
      tile.set(z + offset(j), rows, mask ? mask + offset(j) : nullptr);
    });
  }

  // Dimension j of row r takes draw index * dims + j of stream `first_stream` + r.
  void sample(StreamTile<S>& draws, std::uint32_t first_stream, std::uint64_t index,
              DiscreteAction* actions) const {
    const auto dims = static_cast<std::uint64_t>(tiles_.size());
    each([&](auto& tile, Index j) {
      tile.sample(draws, first_stream, index * dims + static_cast<std::uint64_t>(j), actions + j);
    });
  }

  // The most probable action of each dimension; the first of equals.
  void mode(DiscreteAction* actions) const {
    each([&](auto& tile, Index j) { tile.mode(actions + j); });
  }

  void log_prob(const DiscreteAction* actions, S* out) const {
    sum([&](auto& tile, Index j, S* part) { tile.log_prob(actions + j, part); }, out);
  }

  // dz (rows, Z) = weights_r * d log p / dz; weights may be null: 1
  void score(const DiscreteAction* actions, const S* weights, S* dz) const {
    each([&](auto& tile, Index j) { tile.score(actions + j, weights, dz + offset(j)); });
  }

  void entropy(S* out) const {
    sum([&](auto& tile, Index, S* part) { tile.entropy(part); }, out);
  }

  // dz += scale * weights_r * dH/dz; weights may be null: 1
  void add_entropy_gradient(const S* weights, S scale, S* dz) const {
    each([&](auto& tile, Index j) { tile.add_entropy_gradient(weights, scale, dz + offset(j)); });
  }

  // KL(this || other), row by row
  void kl(const MultiSoftmaxTile& other, S* out) const {
    sum([&](auto& tile, Index j, S* part) { tile.kl(other.tile(j), part); }, out);
  }

  // dz += scale * weights_r * d KL(this || other) / dz of this; weights may be null: 1
  void add_kl_gradient(const MultiSoftmaxTile& other, const S* weights, S scale, S* dz) const {
    each([&](auto& tile, Index j) {
      tile.add_kl_gradient(other.tile(j), weights, scale, dz + offset(j));
    });
  }

  // dz += scale * weights_r * d KL(other || this) / dz of this; weights may be null: 1
  void add_reverse_kl_gradient(const MultiSoftmaxTile& other, const S* weights, S scale,
                               S* dz) const {
    each([&](auto& tile, Index j) {
      tile.add_reverse_kl_gradient(other.tile(j), weights, scale, dz + offset(j));
    });
  }

  // dz <- scale * M dz
  void fisher(S* dz, S scale) const {
    each([&](auto& tile, Index j) { tile.fisher(dz + offset(j), scale); });
  }

 private:
  const SoftmaxTile<S>& tile(Index j) const { return tiles_[static_cast<std::size_t>(j)]; }
  Index offset(Index j) const { return offsets_[static_cast<std::size_t>(j)]; }

  // f(tile, j) for each dimension
  template <class F>
  void each(F&& f) {
    for (std::size_t j = 0; j < tiles_.size(); ++j) f(tiles_[j], static_cast<Index>(j));
  }
  template <class F>
  void each(F&& f) const {
    for (std::size_t j = 0; j < tiles_.size(); ++j) f(tiles_[j], static_cast<Index>(j));
  }

  // out_r = sum over the dimensions, in their order, of what f(tile, j, part) writes to `part`
  template <class F>
  void sum(F&& f, S* out) const {
    std::fill(out, out + rows_, S{0});
    S part[tile_rows];
    each([&](auto& tile, Index j) {
      f(tile, j, part);
      for (Index r = 0; r < rows_; ++r) out[r] += part[r];
    });
  }

  std::vector<SoftmaxTile<S>> tiles_;
  std::vector<Index> offsets_;
  Index rows_ = 0;
};

}  // namespace pgfast
