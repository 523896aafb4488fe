// What every distribution's tile must do, whichever it is.
#pragma once

#include <limits>

#include "pgfast/distributions/batch.hpp"
#include "threads.hpp"

namespace check {

using namespace pgfast;

// A tile and its functions as functions of arrays.
template <class S, class D>
struct TileOf {
  using Action = typename D::template Action<S>;

  D distribution;
  Index rows, A, Z;
  typename D::template Tile<S> tile;

  TileOf(const D& d, const Array<S>& z, const Array<bool>& mask = {})
      : distribution(d),
        rows(z.size() / d.parameter_size()),
        A(d.action_size()),
        Z(d.parameter_size()),
        tile(d) {
    if constexpr (std::is_same_v<Action, DiscreteAction>) {
      tile.set(z.data(), rows, mask.size() ? mask.data() : nullptr);
    } else {
      tile.set(z.data(), rows);
    }
  }

  Array<S> log_prob(const Array<Action>& actions) const {
    Array<S> out(rows);
    tile.log_prob(actions.data(), out.data());
    return out;
  }
  Array<S> score(const Array<Action>& actions, const S* weights = nullptr) const {
    Array<S> out(rows * Z);
    tile.score(actions.data(), weights, out.data());
    return out;
  }
  Array<S> entropy() const {
    Array<S> out(rows);
    tile.entropy(out.data());
    return out;
  }
  Array<S> entropy_gradient(const S* weights = nullptr, S scale = S{1}) const {
    auto out = Array<S>::zeros(rows * Z);
    tile.add_entropy_gradient(weights, scale, out.data());
    return out;
  }
  Array<S> kl(const TileOf& other) const {
    Array<S> out(rows);
    tile.kl(other.tile, out.data());
    return out;
  }
  Array<S> kl_gradient(const TileOf& other, const S* weights = nullptr, S scale = S{1}) const {
    auto out = Array<S>::zeros(rows * Z);
    tile.add_kl_gradient(other.tile, weights, scale, out.data());
    return out;
  }
  Array<S> reverse_kl_gradient(const TileOf& other, const S* weights = nullptr,
                               S scale = S{1}) const {
    auto out = Array<S>::zeros(rows * Z);
    tile.add_reverse_kl_gradient(other.tile, weights, scale, out.data());
    return out;
  }
  Array<S> fisher(Array<S> u, S scale = S{1}) const {
    tile.fisher(u.data(), scale);
    return u;
  }
  Array<Action> sample(std::uint64_t seed, std::uint32_t first_stream, std::uint64_t index) const {
    StreamTile<S> draws(seed, Purpose::action);
    Array<Action> out(rows * A);
    tile.sample(draws, first_stream, index, out.data());
    return out;
  }
  Array<Action> mode() const {
    Array<Action> out(rows * A);
    tile.mode(out.data());
    return out;
  }
};

// `gradient` (rows, Z) holds the slopes of f(z) (rows) in each parameter, by differences of step h.
template <class F>
void check_gradient(const Array<double>& gradient, const Array<double>& z, Index Z, F&& f, double h,
                    double tolerance) {
  for (Index i = 0; i < Z; ++i) {
    CONTEXT("parameter " << i);
    Array<double> up = z, down = z;
    for (Index j = i; j < z.size(); j += Z) {
      up[j] += h;
      down[j] -= h;
    }
    const Array<double> slope = (f(up) - f(down)) / (2 * h);
    for (Index r = 0; r < slope.size(); ++r) {
      CHECK_NEAR(gradient[r * Z + i], slope[r], tolerance * (1 + std::abs(slope[r])));
    }
  }
}

// Score, entropy, KL in both arguments, and the Fisher metric as KL's curvature, all in double.
template <class D>
void check_derivatives(const D& d, const Array<double>& z, const Array<double>& other_z,
                       const Array<typename D::template Action<double>>& actions,
                       const Array<bool>& mask = {}) {
  using Tile = TileOf<double, D>;
  const Tile here(d, z, mask), other(d, other_z, mask);
  const Index Z = here.Z;
  const auto at = [&](const Array<double>& moved) { return Tile(d, moved, mask); };
  {
    const Context context("score");
    check_gradient(
        here.score(actions), z, Z, [&](const auto& x) { return at(x).log_prob(actions); }, 1e-5,
        1e-8);
  }
  {
    const Context context("entropy");
    check_gradient(
        here.entropy_gradient(), z, Z, [&](const auto& x) { return at(x).entropy(); }, 1e-5, 1e-8);
  }
  {
    const Context context("KL(this || other)");
    check_gradient(
        here.kl_gradient(other), z, Z, [&](const auto& x) { return at(x).kl(other); }, 1e-5, 1e-8);
  }
  {
    const Context context("KL(other || this)");
    check_gradient(
        here.reverse_kl_gradient(other), z, Z, [&](const auto& x) { return other.kl(at(x)); }, 1e-5,
        1e-8);
  }
  // Column i of M, row by row, is the slope of either gradient of KL as parameter i leaves z.
  for (Index i = 0; i < Z; ++i) {
    CONTEXT("column " << i << " of the Fisher metric");
    auto unit = Array<double>::zeros(z.size());
    Array<double> up = z, down = z;
    const double h = 1e-5;
    for (Index j = i; j < z.size(); j += Z) {
      unit[j] = 1;
      up[j] += h;
      down[j] -= h;
    }
    const auto column = here.fisher(unit);
    const Array<double> curvature =
        (at(up).kl_gradient(here) - at(down).kl_gradient(here)) / (2 * h);
    const Array<double> reverse =
        (at(up).reverse_kl_gradient(here) - at(down).reverse_kl_gradient(here)) / (2 * h);
    for (Index j = 0; j < column.size(); ++j) {
      CHECK_NEAR(column[j], curvature[j], 1e-8 * (1 + std::abs(curvature[j])));
      CHECK_NEAR(column[j], reverse[j], 1e-8 * (1 + std::abs(reverse[j])));
    }
  }
}

// Weights and scale multiply; gradients of entropy and KL are added to what is there, the score and
// the Fisher product take its place.
template <class S, class D>
void check_weights(const D& d, const Array<S>& z, const Array<S>& other_z,
                   const Array<typename D::template Action<S>>& actions) {
  const TileOf<S, D> here(d, z), other(d, other_z);
  const S scale = S(-0.25);  // a power of two: scaling commutes with rounding
  Array<S> weights = Array<S>::ones(here.rows);
  for (Index r = 0; r < here.rows; ++r) weights[r] = static_cast<S>(1 << (r % 4));
  const auto weighted = [&](Array<S> x) {
    for (Index i = 0; i < x.size(); ++i) x[i] *= weights[i / here.Z];
    return x;
  };
  CHECK_SAME(here.score(actions, weights.data()), weighted(here.score(actions)));
  CHECK_SAME(here.entropy_gradient(nullptr, S(0.5)), (S(0.5) * here.entropy_gradient()));
  CHECK((here.entropy_gradient(weights.data(), scale) == scale * weighted(here.entropy_gradient()))
            .all());
  CHECK(
      (here.kl_gradient(other, weights.data(), scale) == scale * weighted(here.kl_gradient(other)))
          .all());
  CHECK((here.reverse_kl_gradient(other, weights.data(), scale) ==
         scale * weighted(here.reverse_kl_gradient(other)))
            .all());
  const auto u = normals<S>(z.size(), 90);
  CHECK((here.fisher(u, scale) == scale * here.fisher(u)).all());

  const double rounding = 4 * static_cast<double>(std::numeric_limits<S>::epsilon());
  const auto added = [&](const Array<S>& gradient, const auto& add) {
    auto dz = Array<S>::constant(z.size(), S{3});
    add(dz.data());
    for (Index i = 0; i < dz.size(); ++i) {
      CHECK_NEAR(dz[i], S{3} + gradient[i],
                 rounding * (3 + std::abs(static_cast<double>(gradient[i]))));
    }
  };
  added(here.entropy_gradient(), [&](S* dz) { here.tile.add_entropy_gradient(nullptr, S{1}, dz); });
  added(here.kl_gradient(other),
        [&](S* dz) { here.tile.add_kl_gradient(other.tile, nullptr, S{1}, dz); });
  added(here.reverse_kl_gradient(other),
        [&](S* dz) { here.tile.add_reverse_kl_gradient(other.tile, nullptr, S{1}, dz); });
}

// A row has the same bits alone, in a tile, after other rows in the same tile, and in a batch that
// any number of threads works on.
template <class S, class D>
void check_rows_alone(const D& d, const Array<S>& z, const Array<S>& other_z,
                      const Array<typename D::template Action<S>>& actions) {
  const Index Z = d.parameter_size(), A = d.action_size(), B = z.size() / Z;
  const batch::Parameters<S> parameters{z.data(), Z};
  Array<S> log_prob(B), entropy(B), kl(B), score(B * Z);
  Array<typename D::template Action<S>> sampled(B * A);
  same_on_any_threads([&] {
    batch::log_prob(d, parameters, actions.data(), B, log_prob.data());
    return std::tuple{log_prob};
  });
  same_on_any_threads([&] {
    batch::entropy(d, parameters, B, entropy.data());
    return std::tuple{entropy};
  });
  same_on_any_threads([&] {
    batch::kl(d, parameters, {other_z.data(), Z}, B, kl.data());
    return std::tuple{kl};
  });
  same_on_any_threads([&] {
    batch::score(d, parameters, actions.data(), B, score.data());
    return std::tuple{score};
  });
  same_on_any_threads([&] {
    batch::sample(d, parameters, B, 23, 24, sampled.data());
    return std::tuple{sampled};
  });
  const auto check_rows = [&](Index first, Index rows) {
    CONTEXT("rows " << first << " to " << first + rows);
    const TileOf<S, D> here(d, z.segment(first * Z, rows * Z));
    const TileOf<S, D> other(d, other_z.segment(first * Z, rows * Z));
    const auto a = actions.segment(first * A, rows * A);
    CHECK_SAME(here.log_prob(a), log_prob.segment(first, rows));
    CHECK_SAME(here.entropy(), entropy.segment(first, rows));
    CHECK_SAME(here.kl(other), kl.segment(first, rows));
    CHECK_SAME(here.score(a), score.segment(first * Z, rows * Z));
    CHECK_SAME(here.sample(23, static_cast<std::uint32_t>(first), 24),
               sampled.segment(first * A, rows * A));
  };
  for (Index b = 0; b < B; b += 13) check_rows(b, 1);
  for (const Index rows : {2, 7, 31, 32}) {
    for (Index first = 0; first + rows <= B; first += 97) check_rows(first, rows);
  }
  // What an earlier, longer set left in the lanes behind the last row is seen by nobody.
  auto tile = TileOf<S, D>(d, z.head(std::min<Index>(B, tile_rows) * Z));
  if constexpr (std::is_same_v<typename D::template Action<S>, DiscreteAction>) {
    tile.tile.set(z.data(), 1, nullptr);
  } else {
    tile.tile.set(z.data(), 1);
  }
  tile.rows = 1;
  CHECK_SAME(tile.score(actions.head(A)), score.head(Z));
  CHECK_SAME(tile.entropy(), entropy.head(1));
}

// A NaN in a row's parameters comes out in that row's log-probability, entropy and KL and in no
// other row.
template <class S, class D>
void check_nan_row(const D& d, const Array<S>& z, Index parameter,
                   const Array<typename D::template Action<S>>& actions, bool in_entropy = true) {
  const Index Z = d.parameter_size(), bad = 13;
  Array<S> spoiled = z;
  spoiled[bad * Z + parameter] = std::numeric_limits<S>::quiet_NaN();
  const TileOf<S, D> rows(d, spoiled), fine(d, z);
  const auto log_prob = rows.log_prob(actions), entropy = rows.entropy(), kl = rows.kl(fine),
             reverse = fine.kl(rows);
  for (Index r = 0; r < rows.rows; ++r) {
    CHECK_EQ(std::isnan(log_prob[r]), r == bad);
    CHECK_EQ(std::isnan(entropy[r]), r == bad && in_entropy);
    CHECK_EQ(std::isnan(kl[r]), r == bad);
    CHECK_EQ(std::isnan(reverse[r]), r == bad);
  }
  const auto sampled = rows.sample(1, 0, 0), unspoiled = fine.sample(1, 0, 0);
  const Index A = d.action_size();
  for (Index i = 0; i < sampled.size(); ++i) {
    if (i / A != bad) CHECK_EQ(sampled[i], unspoiled[i]);
  }
}

}  // namespace check
