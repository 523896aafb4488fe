#include "distributions.hpp"
#include "pgfast/distributions/gaussian.hpp"

namespace pgfast {
namespace {

using check::Array;
template <class S>
using Rows = check::TileOf<S, Gaussian>;

constexpr Index action_sizes[] = {1, 2, 3, 4, 6, 8, 9, 17};
constexpr double half_log_two_pi = 0.91893853320467274178;

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

// z = [mu, log_std], mu normal and log_std normal times `spread`.
template <class S>
Array<S> parameters(Index rows, Index A, std::uint64_t seed, double spread = 0.7) {
  auto z = check::normals<S>(rows * 2 * A, seed);
  for (Index r = 0; r < rows; ++r) {
    for (Index a = 0; a < A; ++a) z[(2 * r + 1) * A + a] *= static_cast<S>(spread);
  }
  return z;
}

TEST(by_hand, "log p, entropy and KL are their sums over the dimensions.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_sizes) {
      for (const double spread : {0.0, 0.7, 5.0}) {
        CONTEXT("A " << A << ", spread " << spread);
        const Gaussian gaussian{A, true};
        const auto z = parameters<S>(tile_rows, A, 1, spread);
        const auto w = parameters<S>(tile_rows, A, 2, spread);
        const auto x = check::normals<S>(tile_rows * A, 3);
        const Rows<S> p(gaussian, z), q(gaussian, w);
        const auto log_prob = p.log_prob(x), entropy = p.entropy(), kl = p.kl(q);
        for (Index r = 0; r < tile_rows; ++r) {
          double log_p = 0, H = 0, K = 0, log_p_size = 1, H_size = 1, K_size = 1;
          for (Index a = 0; a < A; ++a) {
            const auto at = [&](const Array<S>& from, Index i) {
              return static_cast<double>(from[2 * r * A + i]);
            };
            const double mu = at(z, a), l = at(z, A + a), nu = at(w, a), m = at(w, A + a);
            const double u = (static_cast<double>(x[r * A + a]) - mu) * std::exp(-l);
            log_p -= 0.5 * u * u + l + half_log_two_pi;
            log_p_size += u * u * (1 + std::abs(l)) + std::abs(l);
            H += l + half_log_two_pi + 0.5;
            H_size += std::abs(l) + 1;
            const double d = (mu - nu) * std::exp(-m), t = l - m;
            K += 0.5 * (std::exp(2 * t) - 1) - t + 0.5 * d * d;
            K_size += (d * d + std::exp(2 * t)) * (1 + std::abs(m) + std::abs(l));
          }
          // exp(l) is off by |l| roundings of l and two of its own.
          CHECK_NEAR(log_prob[r], log_p, 8 * epsilon<S> * log_p_size);
          CHECK_NEAR(entropy[r], H, 4 * epsilon<S> * H_size);
          CHECK_NEAR(kl[r], K, 8 * epsilon<S> * (K_size + static_cast<double>(A)));
          CHECK(kl[r] >= S{0});
        }
        CHECK((p.kl(p) == S{0}).all());
      }
    }
  });
}

TEST(small_kl, "KL between neighbours keeps its digits: expm1, not exp - 1.") {
  // t = 1e-3: KL = t^2 + (2/3) t^3 + ..., where float's exp(2t) - 1 - 2t is off by a tenth.
  const Gaussian gaussian{1, true};
  const Rows<float> p(gaussian, {0.0f, 1e-3f}), q(gaussian, {0.0f, 0.0f});
  const double t = static_cast<double>(1e-3f);
  CHECK_NEAR(p.kl(q)[0], 0.5 * std::expm1(2 * t) - t, 3e-10);
}

TEST(derivatives, "Score, gradients of entropy and KL, and Fisher metric, by finite differences.") {
  for (const Index A : action_sizes) {
    CONTEXT("A " << A);
    check::check_derivatives(Gaussian{A, true}, parameters<double>(tile_rows, A, 4),
                             parameters<double>(tile_rows, A, 5),
                             check::normals<double>(tile_rows * A, 6));
  }
  check::check_derivatives(
      Gaussian{3, false, {-0.5, 0.0, 0.8}}, check::normals<double>(tile_rows * 3, 7),
      check::normals<double>(tile_rows * 3, 8), check::normals<double>(tile_rows * 3, 9));
}

TEST(derivatives_at_a_floor, "Where the floor binds, the derivative by log_std is 0 everywhere.") {
  // Half of the values lie below the floor, and none so near it that a difference crosses it.
  Gaussian gaussian{4, true};
  gaussian.log_std_floor = -0.2;
  auto z = parameters<double>(tile_rows, 4, 10), w = parameters<double>(tile_rows, 4, 11);
  for (auto* each : {&z, &w}) {
    for (double& x : *each) x += std::abs(x + 0.2) < 1e-3 ? 0.01 : 0;
  }
  const auto x = check::normals<double>(tile_rows * 4, 12);
  check::check_derivatives(gaussian, z, w, x);
  Index below = 0;
  for (Index i = 0; i < z.size(); ++i) below += i % 8 >= 4 && z[i] < -0.2;
  const Rows<double> rows(gaussian, z);
  CHECK_EQ(rows.tile.floored(), below);
  CHECK(below > 20 && below < 100);
}

TEST(on_the_floor, "On the floor itself the derivative is 1: a projected value can leave it.") {
  check::for_each_scalar([]<class S>() {
    Gaussian gaussian{1, true};
    gaussian.log_std_floor = -2;
    const Array<S> x{S(0.1), S(0.1), S(0.1)};
    const Rows<S> rows(gaussian, {S{0}, S{-2}, S{0}, std::nextafter(S{-2}, S{-3}), S{0}, S{-30}});
    const Rows<S> other(gaussian, {S{0}, S{0}, S{0}, S{0}, S{0}, S{0}});
    CHECK_EQ(rows.tile.floored(), 2);
    for (const auto& gradient : {rows.score(x), rows.entropy_gradient(), rows.kl_gradient(other),
                                 rows.reverse_kl_gradient(other), rows.fisher(Array<S>::ones(6))}) {
      CHECK(gradient[1] != S{0});
      CHECK_EQ(gradient[3], S{0});
      CHECK_EQ(gradient[5], S{0});
    }
    CHECK_EQ(rows.entropy_gradient()[1], S{1});
    // Below the floor, sigma is the floor's.
    const auto log_prob = rows.log_prob(x);
    CHECK_EQ(log_prob[1], log_prob[0]);
    CHECK_EQ(log_prob[2], log_prob[0]);
    const auto entropy = rows.entropy();
    CHECK_EQ(entropy[2], entropy[0]);
    CHECK_NEAR(entropy[0], -2 + half_log_two_pi + 0.5, 4 * epsilon<S>);
    CHECK((rows.sample(3, 0, 0).is_finite()).all());
  });
}

TEST(floor_of_a_fixed_std, "The floor holds for a fixed log_std too, and is counted.") {
  Gaussian fixed{2, false, {-5.0, 0.5}};
  fixed.log_std_floor = -1;
  const Rows<double> rows(fixed, check::normals<double>(6, 13));
  CHECK_EQ(rows.tile.floored(), 3);
  CHECK_NEAR(rows.entropy()[0], -1 + 0.5 + 2 * (half_log_two_pi + 0.5), 1e-14);
}

TEST(fixed_std, "A fixed log_std is the same Gaussian as one that z repeats in each row.") {
  check::for_each_scalar([]<class S>() {
    const Index A = 3;
    const Gaussian fixed{A, false, {-0.5, 0.25, 1.0}}, own{A, true};
    const auto mu = check::normals<S>(tile_rows * A, 14), nu = check::normals<S>(tile_rows * A, 15);
    const auto x = check::normals<S>(tile_rows * A, 16);
    const auto with_std = [&](const Array<S>& means) {
      Array<S> z(tile_rows * 2 * A);
      for (Index r = 0; r < tile_rows; ++r) {
        for (Index a = 0; a < A; ++a) {
          z[2 * r * A + a] = means[r * A + a];
          z[(2 * r + 1) * A + a] = static_cast<S>(fixed.log_std[static_cast<std::size_t>(a)]);
        }
      }
      return z;
    };
    const auto means_of = [&](const Array<S>& z) {
      Array<S> means(tile_rows * A);
      for (Index i = 0; i < means.size(); ++i) means[i] = z[(2 * (i / A)) * A + i % A];
      return means;
    };
    const Rows<S> p(fixed, mu), q(fixed, nu), p_own(own, with_std(mu)), q_own(own, with_std(nu));
    CHECK_SAME(p.log_prob(x), p_own.log_prob(x));
    CHECK_SAME(p.entropy(), p_own.entropy());
    CHECK_SAME(p.kl(q), p_own.kl(q_own));
    CHECK_SAME(p.score(x), means_of(p_own.score(x)));
    CHECK_SAME(p.kl_gradient(q), means_of(p_own.kl_gradient(q_own)));
    CHECK_SAME(p.reverse_kl_gradient(q), means_of(p_own.reverse_kl_gradient(q_own)));
    CHECK_SAME(p.fisher(x), means_of(p_own.fisher(with_std(x))));
    CHECK_SAME(p.sample(1, 2, 3), p_own.sample(1, 2, 3));
    CHECK((p.entropy_gradient() == S{0}).all());
  });
}

TEST(two_arrays, "Mean and log_std may lie apart, and one log_std may be that of all rows.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_sizes) {
      CONTEXT("A " << A);
      const auto mu = check::normals<S>(tile_rows * A, 27),
                 x = check::normals<S>(tile_rows * A, 28);
      const auto log_std = check::normals<S>(tile_rows * A, 29);
      for (const Index stride : {Index{0}, A}) {
        for (const Index rows : {1, 5, 32}) {
          CONTEXT("stride " << stride << ", rows " << rows);
          Array<S> z(rows * 2 * A);
          for (Index i = 0; i < z.size(); ++i) {
            const Index r = i / (2 * A), a = i % (2 * A);
            z[i] = a < A ? mu[r * A + a] : log_std[r * stride + a - A];
          }
          const Rows<S> together(Gaussian{A, true}, z);
          GaussianTile<S> apart(Gaussian{A, true});
          apart.set(mu.data(), A, log_std.data(), stride, rows);
          Array<S> log_prob(rows), d_mu(rows * A), d_log_std(rows * A), d_mu_alone(rows * A);
          apart.log_prob(x.data(), log_prob.data());
          apart.score(x.data(), nullptr, d_mu.data(), d_log_std.data(), A);
          apart.score(x.data(), nullptr, d_mu_alone.data(), nullptr, A);
          const auto score = together.score(x);
          Array<S> both(rows * 2 * A);
          for (Index i = 0; i < both.size(); ++i) {
            const Index r = i / (2 * A), a = i % (2 * A);
            both[i] = a < A ? d_mu[r * A + a] : d_log_std[r * A + a - A];
          }
          CHECK_SAME(log_prob, together.log_prob(x));
          CHECK_SAME(both, score);
          CHECK_SAME(d_mu_alone, d_mu);
        }
      }
    }
  });
}

TEST(tile_after_tile, "A tile's sigma is that of its own log_std, whatever the tile held before.") {
  check::for_each_scalar([]<class S>() {
    Gaussian gaussian{2, true};
    gaussian.log_std_floor = -1;
    const S nan = std::numeric_limits<S>::quiet_NaN(), below = std::nextafter(S{-1}, S{-2});
    const S values[] = {S{0}, S(-0.0), S(0.5), S{-1}, below, S{-3}, nan, S{-1}, S{-3}, S{0}};
    const Array<S> x{S(0.3), S(-0.7)};
    const auto z_of = [](S log_std) { return Array<S>{S(0.1), S(0.2), log_std, log_std}; };
    for (const S first : values) {
      for (const S second : values) {
        CONTEXT("log_std " << first << ", then " << second);
        const auto z = z_of(second);
        const Rows<S> fresh(gaussian, z);
        Rows<S> used(gaussian, z_of(first));
        used.tile.set(z.data(), 1);
        CHECK_SAME(used.log_prob(x), fresh.log_prob(x));
        CHECK_SAME(used.score(x), fresh.score(x));
        CHECK_SAME(used.sample(1, 2, 3), fresh.sample(1, 2, 3));
        CHECK_SAME(used.fisher(Array<S>::ones(4)), fresh.fisher(Array<S>::ones(4)));
        CHECK_EQ(used.tile.floored(), fresh.tile.floored());
        if (second == S{0}) {  // sigma is 1: the values by hand
          CHECK_NEAR(used.score(x)[0], 0.2, 2 * epsilon<S>);
          CHECK_EQ(used.fisher(Array<S>::ones(4))[0], S{1});
        }
      }
    }
  });
}

TEST(weights,
     "Weights and scale multiply; gradients are added, score and Fisher product replace.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : {1, 3, 8, 11}) {
      check::check_weights<S>(Gaussian{A, true}, parameters<S>(tile_rows, A, 17),
                              parameters<S>(tile_rows, A, 18),
                              check::normals<S>(tile_rows * A, 19));
    }
  });
}

TEST(normals, "A sample is mu + sigma n, n Box & Muller's of the row's own draws.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_sizes) {
      const Rows<S> rows(Gaussian{A, true}, parameters<S>(tile_rows, A, 20));
      const auto z = parameters<S>(tile_rows, A, 20);
      for (const std::uint64_t index : {0, 1, 2, 5}) {
        CONTEXT("A " << A << ", index " << index);
        const auto sampled = rows.sample(7, 100, index);
        for (Index r = 0; r < tile_rows; ++r) {
          for (Index a = 0; a < A; ++a) {
            const auto stream = static_cast<std::uint32_t>(100 + r);
            const auto draw = index * static_cast<std::uint64_t>(A + A % 2) +
                              static_cast<std::uint64_t>(a - a % 2);
            const auto u = uniform<S>(7, Purpose::action, stream, draw);
            const auto v = uniform<S>(7, Purpose::action, stream, draw + 1);
            const double n = normal_pair(static_cast<double>(u),
                                         static_cast<double>(v))[static_cast<std::size_t>(a % 2)];
            const double mu = static_cast<double>(z[2 * r * A + a]);
            const double sigma = std::exp(static_cast<double>(z[(2 * r + 1) * A + a]));
            CHECK_NEAR(sampled[r * A + a], mu + sigma * n,
                       8 * epsilon<S> * (1 + std::abs(mu) + 6 * sigma));
          }
        }
      }
    }
  });
}

TEST(first_draw, "A draw of 0, a radius of 0, gives the mean and no NaN.") {
  // No draw of these seeds is 0; the rule itself is held at it.
  check::for_each_scalar([]<class S>() {
    using Lane = typename GaussianTile<S>::Lane;
    const Lane radius = (S{-2} * (S{1} - Lane::Zero()).log()).max(S{0}).sqrt();
    for (Index l = 0; l < tile_rows; ++l) CHECK_EQ(radius[l], S{0});
    const Lane last =
        (S{-2} * (S{1} - Lane::Constant(std::nextafter(S{1}, S{0}))).log()).max(S{0}).sqrt();
    for (Index l = 0; l < tile_rows; ++l) CHECK(std::isfinite(last[l]));
  });
}

TEST(modes, "The mode is the mean, and its score by the mean is 0.") {
  check::for_each_scalar([]<class S>() {
    const auto z = parameters<S>(tile_rows, 3, 21);
    const Rows<S> rows(Gaussian{3, true}, z);
    const auto mode = rows.mode(), score = rows.score(mode);
    for (Index r = 0; r < tile_rows; ++r) {
      for (Index a = 0; a < 3; ++a) {
        CHECK_EQ(mode[r * 3 + a], z[r * 6 + a]);
        CHECK_EQ(score[r * 6 + a], S{0});
        CHECK_EQ(score[r * 6 + 3 + a], S{-1});
      }
    }
  });
}

TEST(extremes, "From log_std -50 to 50, and beyond what the type can hold, nothing is NaN.") {
  check::for_each_scalar([]<class S>() {
    const Gaussian gaussian{1, true};
    for (const double log_std : {-1e30, -1000.0, -200.0, -50.0, -10.0, 10.0, 50.0}) {
      CONTEXT("log_std " << log_std);
      const Rows<S> rows(gaussian, {S(0.5), static_cast<S>(log_std)});
      const Rows<S> other(gaussian, {S(0.5), S{0}});
      CHECK(std::isfinite(rows.log_prob({S(0.5)})[0]));
      CHECK(std::isfinite(rows.entropy()[0]));
      CHECK(std::isfinite(rows.sample(1, 0, 0)[0]));
      CHECK(std::isfinite(rows.score({S(0.5)})[0]));
      CHECK(!std::isnan(rows.kl(other)[0]));
      CHECK(!std::isnan(other.kl(rows)[0]));
      CHECK_EQ(rows.kl(rows)[0], S{0});
      if (std::abs(log_std) <= 50) {
        CHECK_NEAR(rows.entropy()[0], log_std + half_log_two_pi + 0.5,
                   2 * epsilon<S> * std::abs(log_std));
        const S x = S(0.5) + std::exp(static_cast<S>(log_std));  // one sigma away, where it can be
        if (log_std > -10) CHECK_NEAR(rows.score({x})[1], 0, 1e-4);
      }
    }
  });
}

TEST(rows_alone, "A row has the same bits alone, in a tile, in a batch and on any threads.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : {1, 2, 3, 5, 8, 11}) {
      CONTEXT("A " << A);
      check::check_rows_alone<S>(Gaussian{A, true}, parameters<S>(14001, A, 22),
                                 parameters<S>(14001, A, 23), check::normals<S>(14001 * A, 24));
    }
  });
}

TEST(nan_row, "A NaN in a row's mean or log_std comes out in that row and in no other.") {
  check::for_each_scalar([]<class S>() {
    const auto z = parameters<S>(tile_rows, 3, 25);
    const auto x = check::normals<S>(tile_rows * 3, 26);
    for (Index i = 0; i < 6; ++i) {
      CONTEXT("parameter " << i);
      check::check_nan_row<S>(Gaussian{3, true}, z, i, x, i >= 3);
    }
    Array<S> spoiled = z;
    spoiled[5] = std::numeric_limits<S>::quiet_NaN();
    const Rows<S> rows(Gaussian{3, true}, spoiled);
    CHECK(std::isnan(rows.score(x)[5]));
    CHECK(std::isnan(rows.sample(1, 0, 0)[2]));
    CHECK(!std::isnan(rows.sample(1, 0, 0)[3]));
  });
}

}  // namespace
}  // namespace pgfast
