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

#include <algorithm>
#include <limits>
#include <type_traits>

#include "pgfast/exponential.hpp"
#include "pgfast/stream_tile.hpp"
#include "pgfast/transpose.hpp"

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

// Up to `tile_rows` distributions at once, worked on together: every loop over rows runs over all
// 32 lanes, so that it is vector code and a row's result depends on neither its place nor its
// neighbours. Memory: log_p and p, an action's 32 lanes after another's. Lanes without a row hold
// what was there before.
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
        log_p_(Buffer<S>::Zero(tile_rows * A_)),
        p_(Buffer<S>::Zero(tile_rows * A_)) {}

  // Takes the logits z (rows, A); everything below belongs to them. mask (rows, A): true = allowed;
  // null allows all.
  void set(const S* z, Index rows, const bool* mask = nullptr) {
    rows_ = rows;
    transpose(z, stride_, rows, A_, log_p_.data(), tile_rows);
    if (mask) {
      for (Index r = 0; r < rows; ++r) {
        for (Index a = 0; a < A_; ++a) {
          if (!mask[r * stride_ + a]) log_p_[a * tile_rows + r] = -infinity;
        }
      }
    }
    Rows largest = log_p(0), sums = Rows::Zero();
    for (Index a = 1; a < A_; ++a) {
      const S* z_a = log_p(a).data();
      for (Index r = 0; r < tile_rows; ++r) largest[r] = z_a[r] > largest[r] ? z_a[r] : largest[r];
    }
    for (Index a = 0; a < A_; ++a) {
      const Rows x = log_p(a) - largest, p = exp_nonpositive<tile_rows>(x);
      sums += p;
      column(log_p_, a) = x;
      column(p_, a) = p;
    }
    const Rows log_sums = sums.log(), scale = sums.inverse();
    for (Index a = 0; a < A_; ++a) {
      column(p_, a) *= scale;
      column(log_p_, a) -= log_sums;
    }
  }

  // The first action whose cumulated probability exceeds u in [0, 1); where rounding leaves the sum
  // at or below u, the last action that has any probability. Row r's u is draw `index` of stream
  // `first_stream` + r.
  void sample(StreamTile<S>& draws, std::uint32_t first_stream, std::uint64_t index,
              DiscreteAction* actions) const {
    choose(draws.uniforms(first_stream, index, rows_), actions);
  }

  // The same with row r's u given.
  void sample(const S* uniforms, DiscreteAction* actions) const {
    Rows u = Rows::Zero();
    std::copy_n(uniforms, rows_, u.data());
    choose(u.data(), actions);
  }

  // The most probable action; the first of equals.
  void mode(DiscreteAction* actions) const {
    Rows most = log_p(0);
    std::int32_t best[tile_rows] = {};
    for (Index a = 1; a < A_; ++a) {
      const S* log_p_a = log_p(a).data();
      for (Index r = 0; r < tile_rows; ++r) {
        best[r] = log_p_a[r] > most[r] ? static_cast<std::int32_t>(a) : best[r];
        most[r] = log_p_a[r] > most[r] ? log_p_a[r] : most[r];
      }
    }
    for (Index r = 0; r < rows_; ++r) actions[r * action_stride_] = best[r];
  }

  void log_prob(const DiscreteAction* actions, S* out) const {
    for (Index r = 0; r < rows_; ++r) {
      out[r] = log_p_[actions[r * action_stride_] * tile_rows + r];
    }
  }

  // dz (rows, A) = weights_r * (e_a - p); weights may be null: 1
  void score(const DiscreteAction* actions, const S* weights, S* dz) const {
    const Rows w = of_rows(weights, S{1});
    std::int32_t taken[tile_rows] = {};
    for (Index r = 0; r < rows_; ++r) {
      taken[r] = static_cast<std::int32_t>(actions[r * action_stride_]);
    }
    Group turned;
    for (Index first = 0; first < A_; first += group) {
      const Index count = std::min(group, A_ - first);
      for (Index a = first; a < first + count; ++a) {
        const S *log_p_a = log_p(a).data(), *p_a = p(a).data();
        S* dz_a = turned.columns[a - first];
        for (Index r = 0; r < tile_rows; ++r) {  // a forbidden action's derivative is 0
          const S one = taken[r] == a && log_p_a[r] != -infinity ? S{1} : S{0};
          dz_a[r] = w[r] * (one - p_a[r]);
        }
      }
      write(turned, first, count, dz);
    }
  }

  void entropy(S* out) const { write(entropies(), out); }

  // dz += scale * weights_r * dH/dz; weights may be null: 1
  void add_entropy_gradient(const S* weights, S scale, S* dz) const {
    const Rows w = of_rows(weights, scale), H = entropies();
    for (Index a = 0; a < A_; ++a) {
      const Rows change = w * times_p(a, log_p(a) + H);
      write(read(dz, a) - change, a, dz);
    }
  }

  // KL(this || other), row by row
  void kl(const SoftmaxTile& other, S* out) const { write(divergences(other), out); }

  // dz += scale * weights_r * d KL(this || other) / dz of this; weights may be null: 1
  void add_kl_gradient(const SoftmaxTile& other, const S* weights, S scale, S* dz) const {
    const Rows w = of_rows(weights, scale), K = divergences(other);
    for (Index a = 0; a < A_; ++a) {
      const Rows change = w * times_p(a, log_p(a) - other.log_p(a) - K);
      write(read(dz, a) + change, a, dz);
    }
  }

  // dz += scale * weights_r * d KL(other || this) / dz of this; weights may be null: 1
  void add_reverse_kl_gradient(const SoftmaxTile& other, const S* weights, S scale, S* dz) const {
    const Rows w = of_rows(weights, scale);
    for (Index a = 0; a < A_; ++a) {
      const Rows change = w * (log_p(a) == -infinity).select(S{0}, p(a) - other.p(a));
      write(read(dz, a) + change, a, dz);
    }
  }

  // dz <- scale * M dz
  void fisher(S* dz, S scale) const {
    Rows mean = Rows::Zero();
    Group turned;
    for (Index first = 0; first < A_; first += group) {
      const Index count = std::min(group, A_ - first);
      read(dz, first, count, turned);
      for (Index a = 0; a < count; ++a) mean += p(first + a) * turned[a];
    }
    for (Index first = 0; first < A_; first += group) {
      const Index count = std::min(group, A_ - first);
      if (A_ > group) read(dz, first, count, turned);
      for (Index a = 0; a < count; ++a) turned[a] = scale * p(first + a) * (turned[a] - mean);
      write(turned, first, count, dz);
    }
  }

 private:
  using Rows = Lanes<S, tile_rows>;  // a number of every row
  static constexpr S infinity = std::numeric_limits<S>::infinity();

  template <class B>
  static auto column(B& buffer, Index a) {
    return Eigen::Map<std::conditional_t<std::is_const_v<B>, const Rows, Rows>, Eigen::AlignedMax>(
        buffer.data() + a * tile_rows);
  }
  auto log_p(Index a) const { return column(log_p_, a); }
  auto p(Index a) const { return column(p_, a); }

  // Columns of the derivatives, `group` at a time, as lanes.
  static constexpr Index group = 16;
  struct Group {
    alignas(64) S columns[group][tile_rows];
    auto operator[](Index a) { return Eigen::Map<Rows, Eigen::AlignedMax>(columns[a]); }
  };
  void read(const S* dz, Index first, Index count, Group& turned) const {
    if (rows_ < tile_rows) std::fill_n(turned.columns[0], group * tile_rows, S{0});
    transpose(dz + first, stride_, rows_, count, turned.columns[0], tile_rows);
  }
  void write(const Group& turned, Index first, Index count, S* dz) const {
    transpose(turned.columns[0], tile_rows, count, rows_, dz + first, stride_);
  }

  // Column a of the derivatives.
  Rows read(const S* dz, Index a) const {
    Rows dz_a = Rows::Zero();
    for (Index r = 0; r < rows_; ++r) dz_a[r] = dz[r * stride_ + a];
    return dz_a;
  }
  void write(const Rows& dz_a, Index a, S* dz) const {
    for (Index r = 0; r < rows_; ++r) dz[r * stride_ + a] = dz_a[r];
  }
  void write(const Rows& values, S* out) const { std::copy_n(values.data(), rows_, out); }

  // scale * values_r, or scale where there are none
  Rows of_rows(const S* values, S scale) const {
    Rows of = Rows::Constant(scale);
    for (Index r = 0; values && r < rows_; ++r) of[r] = scale * values[r];
    return of;
  }

  // uniforms (tile_rows)
  void choose(const S* uniforms, DiscreteAction* actions) const {
    Rows cumulated = Rows::Zero();
    std::int32_t chosen[tile_rows] = {}, found[tile_rows] = {};
    for (Index a = 0; a < A_; ++a) {
      const S* p_a = p(a).data();
      for (Index r = 0; r < tile_rows; ++r) {
        const bool possible = p_a[r] > S{0};
        chosen[r] = possible & (found[r] == 0) ? static_cast<std::int32_t>(a) : chosen[r];
        cumulated[r] += p_a[r];
        found[r] |= static_cast<std::int32_t>(uniforms[r] < cumulated[r]);
      }
    }
    for (Index r = 0; r < rows_; ++r) actions[r * action_stride_] = chosen[r];
  }

  // p_a * x, where 0 * (-infinity) is 0: an action without probability adds nothing.
  template <class X>
  Rows times_p(Index a, const X& x) const {
    return (p(a) == S{0}).select(S{0}, p(a) * x);
  }

  Rows entropies() const {
    Rows sum = Rows::Zero();
    for (Index a = 0; a < A_; ++a) sum -= times_p(a, log_p(a));
    return sum;
  }
  Rows divergences(const SoftmaxTile& other) const {
    Rows sum = Rows::Zero();
    for (Index a = 0; a < A_; ++a) sum += times_p(a, log_p(a) - other.log_p(a));
    return sum;
  }

  Index A_, stride_, action_stride_, rows_ = 0;
  Buffer<S> log_p_, p_;
};

}  // namespace pgfast
