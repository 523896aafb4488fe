// The softmax distribution over A actions: p_a = exp(z_a) / sum_b exp(z_b).
//
//   log p_a      = z_a - logsumexp(z)
//   score        d log p_a / dz = e_a - p
//   entropy      H = -sum_a p_a log p_a,             dH/dz = -p * (log p + H)
//   KL(p || q)   K = sum_a p_a (log p_a - log q_a),  dK/dz_p = p * (log p - log q - K),
//                                                    dK/dz_q = q - p
//   Fisher       M = diag(p) - p p',   M u = p * (u - p'u)
//
// A mask forbids actions: their logits count as -infinity, whatever they are, so p = 0 and log p =
// -infinity, 0 log 0 = 0, and every derivative by such a logit is 0. A row without an allowed
// action has no distribution: all that it says is NaN, and its sample and mode are action 0.
//
// Every log-probability is z_a - max z - log sum exp(z - max z): the sum lies in [1, A], so neither
// it nor its logarithm overflows for any finite logits.
#pragma once

#include <limits>
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
//
// The caller's logits and derivatives are (rows, A) and its actions (rows,); or `stride` and
// `action_stride` tell how far apart the rows of larger arrays are.
template <class S>
class SoftmaxTile {
 public:
  explicit SoftmaxTile(const Softmax& softmax) : SoftmaxTile(softmax, softmax.actions, 1) {}
  SoftmaxTile(const Softmax& softmax, Index stride, Index action_stride)
      : A_(softmax.actions),
        stride_(stride),
        action_stride_(action_stride),
        log_p_(Buffer<S>::Zero(padded(tile_rows * A_))),
        p_(Buffer<S>::Zero(padded(tile_rows * A_))) {}

  // Takes the logits z (rows, A); everything below belongs to them. mask (rows, A): true = allowed;
  // null allows all.
  void set(const S* z, Index rows, const bool* mask = nullptr) {
    rows_ = rows;
    for (Index r = 0; r < rows; ++r) {
      const S* z_r = z + r * stride_;
      S* x = log_p_.data() + r * A_;
      if (mask) {
        for (Index a = 0; a < A_; ++a) x[a] = mask[r * stride_ + a] ? z_r[a] : -infinity;
        z_r = x;
      }
      S largest = z_r[0];
      for (Index a = 1; a < A_; ++a) largest = z_r[a] > largest ? z_r[a] : largest;
      for (Index a = 0; a < A_; ++a) x[a] = z_r[a] - largest;
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
    sample(uniforms, actions);
  }

  // The same with row r's u given.
  void sample(const S* uniforms, DiscreteAction* actions) const {
    for (Index r = 0; r < rows_; ++r) {
      const S* p = p_.data() + r * A_;
      S cumulated{0};
      DiscreteAction chosen = 0;
      for (Index a = 0; a < A_; ++a) {
        if (p[a] > S{0}) chosen = a;
        cumulated += p[a];
        if (uniforms[r] < cumulated) break;
      }
      actions[r * action_stride_] = chosen;
    }
  }

  // The most probable action; the first of equals.
  void mode(DiscreteAction* actions) const {
    for (Index r = 0; r < rows_; ++r) {
      const S* log_p = log_p_.data() + r * A_;
      DiscreteAction best = 0;
      for (Index a = 1; a < A_; ++a) best = log_p[a] > log_p[best] ? a : best;
      actions[r * action_stride_] = best;
    }
  }

  void log_prob(const DiscreteAction* actions, S* out) const {
    for (Index r = 0; r < rows_; ++r) {
      out[r] = log_p_[r * A_ + actions[r * action_stride_]];
    }
  }

  // dz (rows, A) = weights_r * (e_a - p); weights may be null: 1
  void score(const DiscreteAction* actions, const S* weights, S* dz) const {
    for (Index r = 0; r < rows_; ++r) {
      const S* p = p_.data() + r * A_;
      const DiscreteAction action = actions[r * action_stride_];
      const S one = log_p_[r * A_ + action] == -infinity ? S{0} : S{1};
      const S w = weights ? weights[r] : S{1};
      for (Index a = 0; a < A_; ++a) {
        dz[r * stride_ + a] = w * ((a == action ? one : S{0}) - p[a]);
      }
    }
  }

  void entropy(S* out) const {
    for (Index r = 0; r < rows_; ++r) out[r] = entropy_of(r);
  }

  // dz += scale * weights_r * dH/dz; weights may be null: 1
  void add_entropy_gradient(const S* weights, S scale, S* dz) const {
    for (Index r = 0; r < rows_; ++r) {
      const S w = weights ? scale * weights[r] : scale, H = entropy_of(r);
      for (Index a = 0; a < A_; ++a) {
        dz[r * stride_ + a] -= w * times_p(r * A_ + a, log_p_[r * A_ + a] + H);
      }
    }
  }

  // KL(this || other), row by row
  void kl(const SoftmaxTile& other, S* out) const {
    for (Index r = 0; r < rows_; ++r) out[r] = kl_of(other, r);
  }

  // dz += scale * weights_r * d KL(this || other) / dz of this; weights may be null: 1
  void add_kl_gradient(const SoftmaxTile& other, const S* weights, S scale, S* dz) const {
    for (Index r = 0; r < rows_; ++r) {
      const S w = weights ? scale * weights[r] : scale, K = kl_of(other, r);
      for (Index a = 0; a < A_; ++a) {
        const Index i = r * A_ + a;
        dz[r * stride_ + a] += w * times_p(i, log_p_[i] - other.log_p_[i] - K);
      }
    }
  }

  // dz += scale * weights_r * d KL(other || this) / dz of this; weights may be null: 1
  void add_reverse_kl_gradient(const SoftmaxTile& other, const S* weights, S scale, S* dz) const {
    for (Index r = 0; r < rows_; ++r) {
      const S w = weights ? scale * weights[r] : scale;
      for (Index a = 0; a < A_; ++a) {
        const Index i = r * A_ + a;
        dz[r * stride_ + a] += w * (log_p_[i] == -infinity ? S{0} : p_[i] - other.p_[i]);
      }
    }
  }

  // dz <- scale * M dz
  void fisher(S* dz, S scale) const {
    for (Index r = 0; r < rows_; ++r) {
      const S* p = p_.data() + r * A_;
      S* u = dz + r * stride_;
      S mean{0};
      for (Index a = 0; a < A_; ++a) mean += p[a] * u[a];
      for (Index a = 0; a < A_; ++a) u[a] = scale * p[a] * (u[a] - mean);
    }
  }

 private:
  static constexpr S infinity = std::numeric_limits<S>::infinity();

  // p_i * x, where 0 * (-infinity) is 0: an action without probability adds nothing.
  S times_p(Index i, S x) const { return p_[i] == S{0} ? S{0} : p_[i] * x; }

  S entropy_of(Index r) const {
    S sum{0};
    for (Index i = r * A_; i < (r + 1) * A_; ++i) sum -= times_p(i, log_p_[i]);
    return sum;
  }
  S kl_of(const SoftmaxTile& other, Index r) const {
    S sum{0};
    for (Index i = r * A_; i < (r + 1) * A_; ++i) {
      sum += times_p(i, log_p_[i] - other.log_p_[i]);
    }
    return sum;
  }

  Index A_, stride_, action_stride_, rows_ = 0;
  Buffer<S> log_p_, p_;
  Lanes<S, tile_rows> sums_ = Lanes<S, tile_rows>::Ones(), log_sums_;
};

}  // namespace pgfast
