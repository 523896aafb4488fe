#include "distributions.hpp"
#include "pgfast/distributions/multi_softmax.hpp"

namespace pgfast {
namespace {

using check::Array;
template <class S>
using Rows = check::TileOf<S, MultiSoftmax>;

const std::vector<Index> size_lists[] = {{1}, {3}, {2, 2}, {3, 1, 5}, {11, 11, 11, 11, 11, 11}};

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

std::string text_of(const std::vector<Index>& sizes) {
  std::string text;
  for (const Index size : sizes) text += std::to_string(size) + " ";
  return text;
}

Array<DiscreteAction> actions_of(const std::vector<Index>& sizes, Index rows, std::uint64_t seed) {
  const auto dims = static_cast<Index>(sizes.size());
  auto actions = check::integers(rows * dims, 1 << 20, seed);
  for (Index i = 0; i < actions.size(); ++i) {
    actions[i] %= sizes[static_cast<std::size_t>(i % dims)];
  }
  return actions;
}

// Each action allowed with probability 0.6, and the last of each dimension always.
Array<bool> mask_of(const std::vector<Index>& sizes, Index rows, std::uint64_t seed) {
  const Index Z = MultiSoftmax{sizes}.parameter_size();
  auto mask = check::flags(rows * Z, 0.6, seed);
  for (Index r = 0; r < rows; ++r) {
    Index end = r * Z;
    for (const Index size : sizes) mask[(end += size) - 1] = true;
  }
  return mask;
}

// Column j of arrays (rows, sum of sizes): dimension j's logits.
template <class T>
Array<T> columns(const Array<T>& all, Index Z, Index offset, Index size) {
  Array<T> out(all.size() / Z * size);
  for (Index i = 0; i < out.size(); ++i) out[i] = all[i / size * Z + offset + i % size];
  return out;
}

TEST(product, "It is the product of its dimensions: each a softmax, with and without a mask.") {
  check::for_each_scalar([]<class S>() {
    for (const auto& sizes : size_lists) {
      CONTEXT("sizes " << text_of(sizes));
      const MultiSoftmax multi{sizes};
      const Index Z = multi.parameter_size(), dims = multi.action_size();
      const auto z = check::normals<S>(tile_rows * Z, 1, 2);
      const auto w = check::normals<S>(tile_rows * Z, 2, 2);
      const auto u = check::normals<S>(tile_rows * Z, 3);
      const auto actions = actions_of(sizes, tile_rows, 4);
      for (const auto& mask : {Array<bool>(), mask_of(sizes, tile_rows, 5)}) {
        const Rows<S> p(multi, z, mask), q(multi, w, mask);
        auto log_prob = Array<S>::zeros(tile_rows), entropy = log_prob, kl = log_prob;
        Index offset = 0;
        for (Index j = 0; j < dims; ++j) {
          const Index size = sizes[static_cast<std::size_t>(j)];
          const auto part = [&](const auto& all) { return columns(all, Z, offset, size); };
          const auto own_mask = mask.size() ? part(mask) : mask;
          const check::TileOf<S, Softmax> p_j({size}, part(z), own_mask),
              q_j({size}, part(w), own_mask);
          const auto a = columns(actions, dims, j, 1);
          log_prob = log_prob + p_j.log_prob(a);
          entropy = entropy + p_j.entropy();
          kl = kl + p_j.kl(q_j);
          CHECK_SAME(part(p.score(actions)), p_j.score(a));
          CHECK_SAME(part(p.entropy_gradient()), p_j.entropy_gradient());
          CHECK_SAME(part(p.kl_gradient(q)), p_j.kl_gradient(q_j));
          CHECK_SAME(part(p.reverse_kl_gradient(q)), p_j.reverse_kl_gradient(q_j));
          CHECK_SAME(part(p.fisher(u)), p_j.fisher(part(u)));
          CHECK_SAME(columns(p.mode(), dims, j, 1), p_j.mode());
          const auto draw = 7 * static_cast<std::uint64_t>(dims) + static_cast<std::uint64_t>(j);
          CHECK_SAME(columns(p.sample(8, 9, 7), dims, j, 1), p_j.sample(8, 9, draw));
          offset += size;
        }
        CHECK_SAME(p.log_prob(actions), log_prob);
        CHECK_SAME(p.entropy(), entropy);
        CHECK_SAME(p.kl(q), kl);
      }
    }
  });
}

TEST(one_dimension, "One dimension is the softmax distribution, its draws included.") {
  check::for_each_scalar([]<class S>() {
    const auto z = check::normals<S>(tile_rows * 5, 6);
    const check::TileOf<S, Softmax> softmax({5}, z);
    const Rows<S> multi({{5}}, z);
    CHECK_SAME(multi.sample(1, 2, 3), softmax.sample(1, 2, 3));
    CHECK_SAME(multi.entropy(), softmax.entropy());
  });
}

TEST(derivatives, "Score, gradients of entropy and KL, and Fisher metric, by finite differences.") {
  for (const auto& sizes : size_lists) {
    CONTEXT("sizes " << text_of(sizes));
    const MultiSoftmax multi{sizes};
    const Index Z = multi.parameter_size();
    const auto z = check::normals<double>(tile_rows * Z, 7);
    const auto w = check::normals<double>(tile_rows * Z, 8);
    check::check_derivatives(multi, z, w, actions_of(sizes, tile_rows, 9));
    const auto mask = mask_of(sizes, tile_rows, 10);
    check::check_derivatives(multi, z, w, Rows<double>(multi, z, mask).sample(1, 0, 0), mask);
  }
}

TEST(joint_probabilities,
     "Over all combinations of actions, p sums to 1 and the mean score is 0.") {
  check::for_each_scalar([]<class S>() {
    const std::vector<Index> sizes{3, 2, 4};
    const MultiSoftmax multi{sizes};
    const Rows<S> rows(multi, check::normals<S>(tile_rows * 9, 11));
    auto total = Array<double>::zeros(tile_rows), mean = Array<double>::zeros(tile_rows * 9),
         entropy = total;
    for (Index k = 0; k < 24; ++k) {
      Array<DiscreteAction> actions(tile_rows * 3);
      for (Index r = 0; r < tile_rows; ++r) {
        actions[3 * r] = k % 3;
        actions[3 * r + 1] = k / 3 % 2;
        actions[3 * r + 2] = k / 6;
      }
      const auto log_p = rows.log_prob(actions), score = rows.score(actions);
      for (Index r = 0; r < tile_rows; ++r) {
        const double p = std::exp(static_cast<double>(log_p[r]));
        total[r] += p;
        entropy[r] -= p * static_cast<double>(log_p[r]);
        for (Index i = 0; i < 9; ++i) mean[9 * r + i] += p * static_cast<double>(score[9 * r + i]);
      }
    }
    const auto said = rows.entropy();
    for (Index r = 0; r < tile_rows; ++r) {
      CHECK_NEAR(total[r], 1, 40 * epsilon<S>);
      CHECK_NEAR(entropy[r], said[r], 100 * epsilon<S>);
    }
    for (const double each : mean) CHECK_NEAR(each, 0, 40 * epsilon<S>);
  });
}

TEST(weights,
     "Weights and scale multiply; gradients are added, score and Fisher product replace.") {
  check::for_each_scalar([]<class S>() {
    const std::vector<Index> sizes{3, 1, 5};
    check::check_weights<S>(MultiSoftmax{sizes}, check::normals<S>(tile_rows * 9, 12),
                            check::normals<S>(tile_rows * 9, 13), actions_of(sizes, tile_rows, 14));
  });
}

TEST(rows_alone, "A row has the same bits alone, in a tile, in a batch and on any threads.") {
  check::for_each_scalar([]<class S>() {
    const std::vector<Index> sizes{2, 5};
    check::check_rows_alone<S>(MultiSoftmax{sizes}, check::normals<S>(14001 * 7, 15),
                               check::normals<S>(14001 * 7, 16), actions_of(sizes, 14001, 17));
  });
}

TEST(nan_row, "A NaN logit comes out in its row and in no other; its sample still exists.") {
  check::for_each_scalar([]<class S>() {
    const std::vector<Index> sizes{2, 3};
    const auto z = check::normals<S>(tile_rows * 5, 18);
    for (Index i = 0; i < 5; ++i) {
      CONTEXT("logit " << i);
      check::check_nan_row<S>(MultiSoftmax{sizes}, z, i, actions_of(sizes, tile_rows, 19));
    }
  });
}

}  // namespace
}  // namespace pgfast
