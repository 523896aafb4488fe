// The softmax distribution over A actions: p_a = exp(z_a) / sum_b exp(z_b).
//
//   log p_a      = z_a - logsumexp(z)
//   score        d log p_a / dz = e_a - p
//   entropy      -sum_a p_a log p_a
//   KL(p || q)   sum_a p_a (log p_a - log q_a)
//   Fisher       M = diag(p) - p p',   M u = p * (u - p'u)
//
// Every log-probability is z_a - max z - log sum exp(z - max z): the sum lies in [1, A], so neither
// it nor its logarithm overflows for any finite logits.
#pragma once

#include <type_traits>

#include "pgfast/random.hpp"

namespace pgfast {

template <class S>
class SoftmaxTile;

struct Softmax {
  template <class S>
  using Tile = SoftmaxTile<S>;
  template <class S>
  using Action = DiscreteAction;

  Index actions;
  Index parameter_size() const { return actions; }
  Index action_size() const { return 1; }
};

// Up to `tile_rows` distributions at once. Memory: log_p and p, (rows, A) each, padded to whole
// chunks, so that exp runs over them as one vector loop; the row loops are short and stay in cache.
template <class S>
class SoftmaxTile {
 public:
  explicit SoftmaxTile(const Softmax& softmax)
      : A_(softmax.actions),
        log_p_(Buffer<S>::Zero(padded(tile_rows * A_))),
        p_(Buffer<S>::Zero(padded(tile_rows * A_))) {}

  // Takes the logits z (rows, A); everything below belongs to them.
  void set(const S* z, Index rows) {
    rows_ = rows;
    for (Index r = 0; r < rows; ++r) {
      const S* z_r = z + r * A_;
      S largest = z_r[0];
      for (Index a = 1; a < A_; ++a) largest = z_r[a] > largest ? z_r[a] : largest;
      for (Index a = 0; a < A_; ++a) log_p_[r * A_ + a] = z_r[a] - largest;
    }
    p_ = log_p_;
    transform_chunks(p_.data(), rows * A_, [](const auto& x) { return x.exp().eval(); });
    // Vector exp stops at the smallest number instead of reaching 0, and that number times a log p
    // of -1e300 is not 0. What is below the normal numbers counts as 0.
    constexpr S lowest = std::is_same_v<S, float> ? S(-87) : S(-708);
    for (Index i = 0; i < rows * A_; ++i) p_[i] = log_p_[i] < lowest ? S{0} : p_[i];
    for (Index r = 0; r < rows; ++r) {
      S sum{0};
      for (Index a = 0; a < A_; ++a) sum += p_[r * A_ + a];
      sums_[r] = sum;
    }
    log_sums_ = sums_.log();
    for (Index r = 0; r < rows; ++r) {
      const S scale = S{1} / sums_[r];
      for (Index a = 0; a < A_; ++a) {
        p_[r * A_ + a] *= scale;
        log_p_[r * A_ + a] -= log_sums_[r];
      }
    }
  }

  // The first action whose cumulated probability exceeds u in [0, 1); where rounding leaves the sum
  // at or below u, the last action that has any probability. Row r's u is draw `index` of stream
  // `first_stream` + r.
  void sample(StreamTile<S>& draws, std::uint32_t first_stream, std::uint64_t index,
              DiscreteAction* actions) const {
    S uniforms[tile_rows];
    draws.uniforms(first_stream, index, uniforms, rows_);
    for (Index r = 0; r < rows_; ++r) {
      const S* p = p_.data() + r * A_;
      S cumulated{0};
      DiscreteAction chosen = 0;
      for (Index a = 0; a < A_; ++a) {
        if (p[a] > S{0}) chosen = a;
        cumulated += p[a];
        if (uniforms[r] < cumulated) break;
      }
      actions[r] = chosen;
    }
  }

  // The most probable action; the first of equals.
  void mode(DiscreteAction* actions) const {
    for (Index r = 0; r < rows_; ++r) {
      const S* log_p = log_p_.data() + r * A_;
      DiscreteAction best = 0;
      for (Index a = 1; a < A_; ++a) best = log_p[a] > log_p[best] ? a : best;
      actions[r] = best;
    }
  }

  void log_prob(const DiscreteAction* actions, S* out) const {
    for (Index r = 0; r < rows_; ++r) out[r] = log_p_[r * A_ + actions[r]];
  }

  // dz (rows, A) = weights_r * (e_a - p); weights may be null: 1
  void score(const DiscreteAction* actions, const S* weights, S* dz) const {
    for (Index r = 0; r < rows_; ++r) {
      const S w = weights ? weights[r] : S{1};
      for (Index a = 0; a < A_; ++a) {
        dz[r * A_ + a] = w * ((a == actions[r] ? S{1} : S{0}) - p_[r * A_ + a]);
      }
    }
  }

  void entropy(S* out) const {
    for (Index r = 0; r < rows_; ++r) {
      S sum{0};
      for (Index a = 0; a < A_; ++a) sum -= plogp(r * A_ + a, log_p_[r * A_ + a]);
      out[r] = sum;
    }
  }

  // KL(this || other), row by row
  void kl(const SoftmaxTile& other, S* out) const {
    for (Index r = 0; r < rows_; ++r) {
      S sum{0};
      for (Index a = 0; a < A_; ++a) {
        const Index i = r * A_ + a;
        sum += plogp(i, log_p_[i] - other.log_p_[i]);
      }
      out[r] = sum;
    }
  }

  // dz <- scale * M dz
  void fisher(S* dz, S scale) const {
    for (Index r = 0; r < rows_; ++r) {
      const S* p = p_.data() + r * A_;
      S* u = dz + r * A_;
      S mean{0};
      for (Index a = 0; a < A_; ++a) mean += p[a] * u[a];
      for (Index a = 0; a < A_; ++a) u[a] = scale * p[a] * (u[a] - mean);
    }
  }

 private:
  // p_i * x, where 0 * (-infinity) is 0: an action without probability adds nothing.
  S plogp(Index i, S x) const { return p_[i] == S{0} ? S{0} : p_[i] * x; }

  Index A_, rows_ = 0;
  Buffer<S> log_p_, p_;
  Lanes<S, tile_rows> sums_ = Lanes<S, tile_rows>::Ones(), log_sums_;
};

}  // namespace pgfast
