// The diagonal Gaussian over A numbers: x = mu + sigma * n, n normal and independent.
//
//   sigma       = exp(log sigma),  log sigma = max(log_std, floor),  s = [log_std >= floor]
//
//   log p(x)    = -sum_a (u^2 / 2 + log sigma + log(2 pi) / 2),  u = (x - mu) / sigma
//     d / d mu      = u / sigma
//     d / d log_std = s (u^2 - 1)
//
//   entropy     = sum_a (log sigma + log(2 pi e) / 2),  d / d log_std = s
//
//   KL(p || q)  = sum_a ((e^2t - 1) / 2 - t + d^2 / 2),
//                 t = log sigma_p - log sigma_q,  d = (mu_p - mu_q) / sigma_q
//     d / d mu_p      = d / sigma_q
//     d / d log_std_p = s_p (e^2t - 1)
//     d / d mu_q      = -d / sigma_q
//     d / d log_std_q = s_q (1 - e^2t - d^2)
//
//   Fisher      M = diag(1 / sigma^2, 2 s)
//
// The floor keeps sigma from collapsing. Below it log_std changes nothing, so every derivative by
// it is 0 there; on it the derivative is 1, so that a value projected onto the floor can leave it.
// What sigma can be in the type at all is a floor too: -87 in float, -708 in double.
//
// e^2t - 1 is taken as a whole (expm1): where the two are near each other, KL is t^2 + d^2 / 2, and
// float's e^2t alone is wrong by 6e-8.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "pgfast/stream_tile.hpp"
#include "pgfast/transpose.hpp"

namespace pgfast {

template <class S>
class GaussianTile;

struct Gaussian {
  template <class S>
  using Tile = GaussianTile<S>;
  template <class S>
  using Action = S;

  Index actions;
  bool own_log_std;  // z = [mu (A), log_std (A)]; else z = mu and log_std is the same everywhere:
  std::vector<double> log_std = {};  // (A)
  double log_std_floor = -std::numeric_limits<double>::infinity();

  Index parameter_size() const { return own_log_std ? 2 * actions : actions; }
  Index action_size() const { return actions; }
};

// Up to `tile_rows` distributions at once. Memory: five numbers for each dimension of each row,
// stored by dimension: a dimension of all rows is one set of lanes. All lanes are computed,
// whatever the number of rows, so a row has the same bits in any company.
//
// The caller's rows are turned into lanes and back on the stack, `group` dimensions at a time. The
// exponential, which costs as much as all the rest, is taken where log sigma is not what it was in
// the tile before (0, and sigma 1, at first): once, where all rows share it.
template <class S>
class GaussianTile {
 public:
  using Lane = Lanes<S, static_cast<int>(tile_rows)>;

  explicit GaussianTile(const Gaussian& gaussian)
      : A_(gaussian.actions),
        Z_(gaussian.parameter_size()),
        floor_(std::max(static_cast<S>(gaussian.log_std_floor), lowest)),
        mu_(Columns::Zero(tile_rows, A_)),
        log_sigma_(Columns::Zero(tile_rows, A_)),
        sigma_(Columns::Ones(tile_rows, A_)),
        inverse_(Columns::Ones(tile_rows, A_)),
        slope_(Columns::Ones(tile_rows, A_)) {
    if (gaussian.own_log_std) return;
    for (Index a = 0; a < A_; ++a) {
      const double log_std = gaussian.log_std[static_cast<std::size_t>(a)];
      set_log_std(a, Lane::Constant(static_cast<S>(log_std)));
    }
  }

  // Takes the parameters z (rows, Z); everything below belongs to them.
  void set(const S* z, Index rows) { set(z, Z_, has_own_log_std() ? z + A_ : nullptr, Z_, rows); }

  // The same from two arrays, their rows as far apart as their strides say: 0 is the same row for
  // all.
  void set(const S* mu, Index mu_stride, const S* log_std, Index log_std_stride, Index rows) {
    rows_ = rows;
    if (log_std == mu + A_ && log_std_stride == mu_stride && A_ <= group) {  // one matrix
      Group<2> both;
      read(mu, mu_stride, 2 * A_, both);
      for (Index a = 0; a < A_; ++a) {
        mu_.col(a) = both[a];
        set_log_std(a, both[A_ + a]);
      }
      return;
    }
    if (rows_ < tile_rows) mu_.setZero();
    transpose(mu, mu_stride, rows_, A_, mu_.data(), tile_rows);
    if (!log_std) return;
    if (log_std_stride == 0) {
      for (Index a = 0; a < A_; ++a) set_log_std(a, Lane::Constant(log_std[a]));
      return;
    }
    Group<1> turned;
    for_each_group([&](Index first, Index count) {
      read(log_std + first, log_std_stride, count, turned);
      for (Index a = 0; a < count; ++a) set_log_std(first + a, turned[a]);
    });
  }

  // How many (row, dimension) have a log_std below the floor.
  Index floored() const { return (slope_.topRows(rows_) == S{0}).count(); }

  // mu + sigma * n. Row r has the normals of stream `first_stream` + r: dimension a takes normal
  // index * (A rounded up to an even number) + a.
  void sample(StreamTile<S>& draws, std::uint32_t first_stream, std::uint64_t index,
              S* actions) const {
    const auto pairs = static_cast<std::uint64_t>(ceil_div(A_, 2));
    Group<1> turned;
    for_each_group([&](Index first, Index count) {
      for (Index i = 0; i < count; i += 2) {
        const Index a = first + i;
        const auto normals =
            draws.normals(first_stream, index * pairs + static_cast<std::uint64_t>(a / 2), rows_);
        turned[i] = mu_.col(a) + sigma_.col(a) * Eigen::Map<const Lane>(normals.first);
        if (i + 1 == count) break;
        turned[i + 1] = mu_.col(a + 1) + sigma_.col(a + 1) * Eigen::Map<const Lane>(normals.second);
      }
      write(turned, count, actions + first, A_);
    });
  }

  // The most probable action: mu.
  void mode(S* actions) const { transpose(mu_.data(), tile_rows, A_, rows_, actions, A_); }

  void log_prob(const S* actions, S* out) const {
    constexpr S half_log_two_pi = S(0.91893853320467274178032973640562);
    Lane sum = Lane::Zero();
    Group<1> turned;
    for_each_group([&](Index first, Index count) {
      read(actions + first, A_, count, turned);
      for (Index i = 0; i < count; ++i) {
        const Index a = first + i;
        const Lane u = (turned[i] - mu_.col(a)) * inverse_.col(a);
        sum -= S(0.5) * u.square() + (log_sigma_.col(a) + half_log_two_pi);
      }
    });
    write(sum, out);
  }

  // dz (rows, Z) = weights_r * d log p / dz; weights may be null: 1
  void score(const S* actions, const S* weights, S* dz) const {
    score(actions, weights, dz, has_own_log_std() ? dz + A_ : nullptr, Z_);
  }

  // The same into two arrays with a row every `stride` numbers; the second may be null.
  void score(const S* actions, const S* weights, S* d_mu, S* d_log_std, Index stride) const {
    const Lane w = times(weights, S{1});
    Group<1> x;
    Group<2> turned;  // d mu, then d log_std
    for_each_group([&](Index first, Index count) {
      read(actions + first, A_, count, x);
      for (Index i = 0; i < count; ++i) {
        const Index a = first + i;
        const Lane u = (x[i] - mu_.col(a)) * inverse_.col(a);
        turned[i] = w * u * inverse_.col(a);
        if (d_log_std) turned[count + i] = where_free(a, w * (u.square() - S{1}));
      }
      write_both(turned, first, count, d_mu, d_log_std, stride);
    });
  }

  void entropy(S* out) const {
    constexpr S half_log_two_pi_e = S(1.4189385332046727417803297364056);
    Lane sum = Lane::Zero();
    for (Index a = 0; a < A_; ++a) sum += log_sigma_.col(a) + half_log_two_pi_e;
    write(sum, out);
  }

  // dz += scale * weights_r * dH/dz; weights may be null: 1
  void add_entropy_gradient(const S* weights, S scale, S* dz) const {
    if (!has_own_log_std()) return;
    const Lane w = times(weights, scale);
    change(dz, [&](Index a, auto, auto d_log_std) { d_log_std += where_free(a, w); });
  }

  // KL(this || other), row by row
  void kl(const GaussianTile& other, S* out) const {
    Lane sum = Lane::Zero();
    for (Index a = 0; a < A_; ++a) {
      const Lane t = log_sigma_.col(a) - other.log_sigma_.col(a);
      const Lane d = (mu_.col(a) - other.mu_.col(a)) * other.inverse_.col(a);
      sum += (S(0.5) * (S{2} * t).expm1() - t) + S(0.5) * d.square();
    }
    write(sum, out);
  }

  // dz += scale * weights_r * d KL(this || other) / dz of this; weights may be null: 1
  void add_kl_gradient(const GaussianTile& other, const S* weights, S scale, S* dz) const {
    const Lane w = times(weights, scale);
    change(dz, [&](Index a, auto d_mu, auto d_log_std) {
      const Lane inverse = other.inverse_.col(a);
      d_mu += w * ((mu_.col(a) - other.mu_.col(a)) * inverse * inverse);
      if (!has_own_log_std()) return;
      const Lane t = log_sigma_.col(a) - other.log_sigma_.col(a);
      d_log_std += where_free(a, w * (S{2} * t).expm1());
    });
  }

  // dz += scale * weights_r * d KL(other || this) / dz of this; weights may be null: 1
  void add_reverse_kl_gradient(const GaussianTile& other, const S* weights, S scale, S* dz) const {
    const Lane w = times(weights, scale);
    change(dz, [&](Index a, auto d_mu, auto d_log_std) {
      const Lane d = (mu_.col(a) - other.mu_.col(a)) * inverse_.col(a);
      d_mu += w * (d * inverse_.col(a));
      if (!has_own_log_std()) return;
      const Lane t = other.log_sigma_.col(a) - log_sigma_.col(a);
      d_log_std += where_free(a, -w * ((S{2} * t).expm1() + d.square()));
    });
  }

  // dz <- scale * M dz
  void fisher(S* dz, S scale) const {
    change(dz, [&](Index a, auto d_mu, auto d_log_std) {
      const Lane inverse = inverse_.col(a);
      d_mu = scale * (d_mu * inverse) * inverse;
      if (has_own_log_std()) d_log_std = where_free(a, (S{2} * scale) * d_log_std);
    });
  }

 private:
  using Columns = Eigen::Array<S, static_cast<int>(tile_rows), Eigen::Dynamic>;
  static constexpr S lowest = std::is_same_v<S, float> ? S(-87) : S(-708);

  bool has_own_log_std() const { return Z_ == 2 * A_; }

  void set_log_std(Index a, const Lane& log_std) {  // NaN is not below the floor: it stays
    Lane log_sigma, slope;
    for (Index r = 0; r < tile_rows; ++r) {
      slope[r] = log_std[r] < floor_ ? S{0} : S{1};
      log_sigma[r] = log_std[r] < floor_ ? floor_ : log_std[r];
    }
    slope_.col(a) = slope;
    const S* before = log_sigma_.col(a).data();
    if (std::memcmp(before, log_sigma.data(), sizeof(Lane)) == 0) return;
    log_sigma_.col(a) = log_sigma;
    sigma_.col(a) = log_sigma.exp();
    inverse_.col(a) = sigma_.col(a).inverse();
  }

  // A derivative by log_std where it is one.
  Lane where_free(Index a, const Lane& x) const {
    const S* slope = slope_.col(a).data();
    Lane free;
    for (Index r = 0; r < tile_rows; ++r) free[r] = slope[r] == S{0} ? S{0} : x[r];
    return free;
  }

  // Dimensions of the caller's rows as lanes; the lanes behind the last row are 0.
  static constexpr Index group = 8;
  template <int parts>
  struct Group {
    alignas(64) S columns[parts * group][tile_rows];
    auto operator[](Index a) { return Eigen::Map<Lane, Eigen::AlignedMax>(columns[a]); }
  };
  // f(first, count) for each group of dimensions.
  template <class F>
  void for_each_group(F&& f) const {
    for (Index first = 0; first < A_; first += group) f(first, std::min(group, A_ - first));
  }

  template <int parts>
  void read(const S* rows, Index stride, Index count, Group<parts>& turned, Index at = 0) const {
    if (rows_ < tile_rows) std::fill_n(turned.columns[at], count * tile_rows, S{0});
    transpose(rows, stride, rows_, count, turned.columns[at], tile_rows);
  }
  template <int parts>
  void write(const Group<parts>& turned, Index count, S* rows, Index stride, Index at = 0) const {
    transpose(turned.columns[at], tile_rows, count, rows_, rows, stride);
  }
  // Derivatives by mu and by log_std, which stand behind one another in `turned`. The latter may be
  // null.
  void write_both(const Group<2>& turned, Index first, Index count, S* d_mu, S* d_log_std,
                  Index stride) const {
    if (d_log_std == d_mu + count) return write(turned, 2 * count, d_mu, stride);  // one matrix
    write(turned, count, d_mu + first, stride);
    if (d_log_std) write(turned, count, d_log_std + first, stride, count);
  }

  // f(a, d_mu, d_log_std) works on dimension a of dz (rows, Z), in place; without a log_std of its
  // own, d_log_std is nothing that it may touch.
  template <class F>
  void change(S* dz, F&& f) const {
    S* d_log_std = has_own_log_std() ? dz + A_ : nullptr;
    Group<2> turned;
    for_each_group([&](Index first, Index count) {
      if (d_log_std == dz + count) {
        read(dz, Z_, 2 * count, turned);
      } else {
        read(dz + first, Z_, count, turned);
        if (d_log_std) read(d_log_std + first, Z_, count, turned, count);
      }
      for (Index i = 0; i < count; ++i) f(first + i, turned[i], turned[count + i]);
      write_both(turned, first, count, dz, d_log_std, Z_);
    });
  }

  // scale * weights_r
  Lane times(const S* weights, S scale) const {
    if (!weights) return Lane::Constant(scale);
    Lane lanes = Lane::Zero();
    std::copy_n(weights, rows_, lanes.data());
    return scale * lanes;
  }

  void write(const Lane& lanes, S* out) const { std::copy_n(lanes.data(), rows_, out); }

  Index A_, Z_, rows_ = 0;
  S floor_;
  Columns mu_, log_sigma_, sigma_, inverse_, slope_;
};

}  // namespace pgfast
