#include <limits>

#include "distributions.hpp"
#include "pgfast/distributions/softmax.hpp"

namespace pgfast {
namespace {

using check::Array;

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());
// What is below this may count as 0: exp(-87) in float and exp(-708) in double are just above the
// smallest normal numbers.
template <class S>
constexpr double vanishing = 2 * static_cast<double>(std::numeric_limits<S>::min());
template <class S>
constexpr S infinity = std::numeric_limits<S>::infinity();
template <class S>
constexpr S nan_of = std::numeric_limits<S>::quiet_NaN();

constexpr Index action_counts[] = {1, 2, 3, 5, 17, 33};

template <class S>
Array<S> logits_of(std::initializer_list<double> values) {
  Array<S> z(static_cast<Index>(values.size()));
  Index i = 0;
  for (const double value : values) z[i++] = static_cast<S>(value);
  return z;
}

// All that a tile says of its rows.
template <class S>
struct Rows {
  Index A, rows;
  Softmax softmax;
  SoftmaxTile<S> tile;

  Rows(const Array<S>& z, Index actions)
      : A(actions), rows(z.size() / A), softmax{A}, tile(softmax) {
    tile.set(z.data(), rows);
  }

  Array<S> log_prob(const Array<DiscreteAction>& actions) const {
    Array<S> out(rows);
    tile.log_prob(actions.data(), out.data());
    return out;
  }
  Array<S> score(const Array<DiscreteAction>& actions, const S* weights = nullptr) const {
    Array<S> out(rows * A);
    tile.score(actions.data(), weights, out.data());
    return out;
  }
  Array<S> entropy() const {
    Array<S> out(rows);
    tile.entropy(out.data());
    return out;
  }
  Array<S> kl(const Rows& other) const {
    Array<S> out(rows);
    tile.kl(other.tile, out.data());
    return out;
  }
  Array<S> fisher(Array<S> u, S scale = S{1}) const {
    tile.fisher(u.data(), scale);
    return u;
  }
  Array<DiscreteAction> sample(const Array<S>& uniforms) const {
    Array<DiscreteAction> out(rows);
    tile.sample(uniforms.data(), out.data());
    return out;
  }
  Array<DiscreteAction> mode() const {
    Array<DiscreteAction> out(rows);
    tile.mode(out.data());
    return out;
  }

  Array<DiscreteAction> all(Index action) const {
    return Array<DiscreteAction>::constant(rows, action);
  }
  Array<S> log_p() const {
    Array<S> out(rows * A);
    for (Index a = 0; a < A; ++a) {
      const Array<S> column = log_prob(all(a));
      for (Index r = 0; r < rows; ++r) out[r * A + a] = column[r];
    }
    return out;
  }
  // p_a is minus another action's score; of a single action it is 1 minus its own.
  Array<S> p() const {
    if (A == 1) return S{1} - score(all(0));
    Array<S> out = S{0} - score(all(0));
    const Array<S> other = S{0} - score(all(1));
    for (Index r = 0; r < rows; ++r) out[r * A] = other[r * A];
    return out;
  }
};

TEST(probabilities, "log p is z - logsumexp(z), p is its exponential, and p sums to 1.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      for (const double scale : {0.0, 1.0, 10.0, 100.0, 1e6}) {
        CONTEXT(A << " actions, scale " << scale);
        const auto z = check::normals<S>(tile_rows * A, 1, scale);
        const Rows<S> rows(z, A);
        const Array<S> log_p = rows.log_p(), p = rows.p();
        for (Index r = 0; r < tile_rows; ++r) {
          long double largest = z[r * A], sum = 0, total = 0;
          for (Index a = 0; a < A; ++a) largest = std::max<long double>(largest, z[r * A + a]);
          for (Index a = 0; a < A; ++a) sum += std::exp(z[r * A + a] - largest);
          for (Index a = 0; a < A; ++a) {
            const Index i = r * A + a;
            const long double expected = z[i] - largest - std::log(sum);
            // Rounded: z - largest, the sum of A terms, and the last difference.
            const double rounding =
                epsilon<S> * static_cast<double>(static_cast<long double>(A + 4) - expected);
            CHECK_NEAR(log_p[i], expected, rounding);
            CHECK_NEAR(p[i], std::exp(expected),
                       rounding * static_cast<double>(std::exp(expected)) + vanishing<S>);
            total += p[i];
          }
          CHECK_NEAR(total, 1, static_cast<double>(A + 2) * epsilon<S>);
        }
      }
    }
  });
}

TEST(equal_logits, "Equal logits of any size give 1/A and the entropy log A.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      for (const S level : {S{0}, S{-1}, std::numeric_limits<S>::max(),
                            std::numeric_limits<S>::lowest(), S(1e30), S(1e-30)}) {
        const Rows<S> rows(Array<S>::constant(3 * A, level), A);
        const double log_A = std::log(static_cast<double>(A));
        const Array<S> log_p = rows.log_p(), p = rows.p(), entropy = rows.entropy();
        for (Index i = 0; i < 3 * A; ++i) {
          CHECK_NEAR(log_p[i], -log_A, 4 * epsilon<S>);
          CHECK_NEAR(p[i], 1 / static_cast<double>(A), 4 * epsilon<S>);
        }
        for (Index r = 0; r < 3; ++r) {
          CHECK_NEAR(entropy[r], log_A, static_cast<double>(A + 4) * epsilon<S>);
        }
      }
    }
  });
}

TEST(one_action, "A single action has probability 1, exactly.") {
  check::for_each_scalar([]<class S>() {
    const Rows<S> rows(logits_of<S>({0, -5, 1e30}), 1);
    CHECK((rows.log_p() == S{0}).all());
    CHECK((rows.score(rows.all(0)) == S{0}).all());
    CHECK((rows.entropy() == S{0}).all());
  });
}

TEST(extreme_logits, "Logits at the ends of the type give 0 and 1, and no NaN anywhere.") {
  check::for_each_scalar([]<class S>() {
    const double max = static_cast<double>(std::numeric_limits<S>::max());
    const Rows<S> rows(logits_of<S>({max, -max, 0, -max, max, -max, 0, 100, 1000}), 3);
    const Array<S> p = rows.p(), log_p = rows.log_p(), entropy = rows.entropy();
    CHECK_SAME(p, (logits_of<S>({1, 0, 0, 0, 1, 0, 0, 0, 1})));
    CHECK_EQ(log_p[0], S{0});
    CHECK_EQ(log_p[1], -infinity<S>);
    CHECK_EQ(log_p[6], S{-1000});
    CHECK_EQ(log_p[7], S{-900});
    CHECK((entropy == S{0}).all());
    CHECK((rows.kl(rows) == S{0}).all());
    for (Index a = 0; a < 3; ++a) CHECK(rows.score(rows.all(a)).is_finite().all());
    CHECK((rows.fisher(Array<S>::ones(9)) == S{0}).all());
  });
}

TEST(small_probabilities, "From 1 down to where p counts as 0, entropy and KL stay finite.") {
  check::for_each_scalar([]<class S>() {
    for (double gap = 0; gap < 2000; gap += 0.37) {
      const Rows<S> rows(logits_of<S>({0, -gap, 0, -2 * gap}), 2);
      const Array<S> p = rows.p(), entropy = rows.entropy();
      CHECK(entropy.is_finite().all());
      CHECK((entropy >= S{0}).all());
      CHECK(rows.kl(Rows<S>(logits_of<S>({0, -3 * gap, -gap, 0}), 2)).is_finite().all());
      const double expected = std::exp(-gap) / (1 + std::exp(-gap));
      CHECK_NEAR(p[1], expected, (gap + 6) * epsilon<S> * expected + vanishing<S>);
    }
  });
}

TEST(masked_actions, "A logit of -inf is an action that can't happen and disturbs no other.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : {2, 3, 17}) {
      for (Index masked = 0; masked < A; ++masked) {
        CONTEXT("action " << masked << " of " << A << " masked");
        const auto z = check::normals<S>(tile_rows * A, 2, 3);
        Array<S> with = z, without(tile_rows * (A - 1));
        for (Index r = 0; r < tile_rows; ++r) {
          with[r * A + masked] = -infinity<S>;
          for (Index a = 0; a < A - 1; ++a) {
            without[r * (A - 1) + a] = z[r * A + (a < masked ? a : a + 1)];
          }
        }
        const Rows<S> rows(with, A), rest(without, A - 1);
        const Array<S> p = rows.p(), log_p = rows.log_p(), rest_log_p = rest.log_p();
        const Array<S> score = rows.score(rows.all(masked));
        const auto sampled = rows.sample(Array<S>::zeros(tile_rows));
        for (Index r = 0; r < tile_rows; ++r) {
          CHECK_EQ(p[r * A + masked], S{0});
          CHECK_EQ(log_p[r * A + masked], -infinity<S>);
          CHECK_EQ(score[r * A + masked], S{0});
          CHECK_EQ(sampled[r], masked == 0 ? 1 : 0);
          for (Index a = 0; a < A - 1; ++a) {
            CHECK_EQ(log_p[r * A + (a < masked ? a : a + 1)], rest_log_p[r * (A - 1) + a]);
          }
        }
        const Array<S> entropy = rows.entropy(), rest_entropy = rest.entropy();
        for (Index r = 0; r < tile_rows; ++r) {
          CHECK_NEAR(entropy[r], rest_entropy[r], static_cast<double>(A) * epsilon<S>);
        }
        CHECK((rows.kl(rows) == S{0}).all());
        const Rows<S> unmasked(z, A);
        CHECK(rows.kl(unmasked).is_finite().all());       // 0 log 0 is 0
        CHECK((unmasked.kl(rows) == infinity<S>).all());  // possible here, impossible there
      }
    }
  });
}

TEST(shift, "Logits that move together leave the distribution as it is.") {
  check::for_each_scalar([]<class S>() {
    const Index A = 5;
    Array<S> z(tile_rows * A);  // integers, so that the shift is exact
    const auto steps = check::integers(z.size(), 21, 3);
    for (Index i = 0; i < z.size(); ++i) z[i] = static_cast<S>(steps[i] - 10);
    const Rows<S> here(z, A), there(Array<S>(z + S{1024}), A);
    CHECK_SAME(here.log_p(), there.log_p());
    CHECK_SAME(here.entropy(), there.entropy());
  });
}

TEST(score_is_the_gradient, "The score is the gradient of log p by z, times the weight.") {
  const Index A = 5;
  const auto z = check::normals<double>(tile_rows * A, 4);
  const auto actions = check::integers(tile_rows, A, 5);
  const auto weights = check::normals<double>(tile_rows, 6);
  const auto score = Rows<double>(z, A).score(actions, weights.data());
  const double h = 1e-5;
  for (Index a = 0; a < A; ++a) {
    Array<double> up = z, down = z;
    for (Index r = 0; r < tile_rows; ++r) {
      up[r * A + a] += h;
      down[r * A + a] -= h;
    }
    const Array<double> difference =
        weights *
        (Rows<double>(up, A).log_prob(actions) - Rows<double>(down, A).log_prob(actions)) / (2 * h);
    for (Index r = 0; r < tile_rows; ++r) CHECK_NEAR(score[r * A + a], difference[r], 1e-9);
  }
}

TEST(zero_mean_score, "The score's mean under p is zero, by enumeration of the actions.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      const Rows<S> rows(check::normals<S>(tile_rows * A, 7, 2), A);
      const Array<S> p = rows.p();
      Array<double> mean = Array<double>::zeros(tile_rows * A);
      for (Index a = 0; a < A; ++a) {
        const Array<S> score = rows.score(rows.all(a));
        for (Index i = 0; i < mean.size(); ++i) {
          mean[i] += static_cast<double>(p[i / A * A + a]) * static_cast<double>(score[i]);
        }
      }
      for (const double each : mean) CHECK_NEAR(each, 0, static_cast<double>(A + 4) * epsilon<S>);
    }
  });
}

TEST(fisher, "M u is the mean of score score'u; M is symmetric, PSD, and maps ones to 0.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      CONTEXT(A << " actions");
      const double tolerance = 8 * static_cast<double>(A + 4) * epsilon<S>;
      const Rows<S> rows(check::normals<S>(tile_rows * A, 8, 2), A);
      const auto u = check::normals<S>(tile_rows * A, 9), v = check::normals<S>(tile_rows * A, 10);
      const Array<S> p = rows.p(), Mu = rows.fisher(u), Mv = rows.fisher(v);
      Array<double> expected = Array<double>::zeros(tile_rows * A);
      for (Index a = 0; a < A; ++a) {
        const Array<S> score = rows.score(rows.all(a));
        for (Index r = 0; r < tile_rows; ++r) {
          double along = 0;
          for (Index b = r * A; b < (r + 1) * A; ++b) {
            along += static_cast<double>(score[b]) * static_cast<double>(u[b]);
          }
          for (Index b = r * A; b < (r + 1) * A; ++b) {
            expected[b] +=
                static_cast<double>(p[r * A + a]) * along * static_cast<double>(score[b]);
          }
        }
      }
      for (Index r = 0; r < tile_rows; ++r) {
        double uMv = 0, vMu = 0, uMu = 0;
        for (Index i = r * A; i < (r + 1) * A; ++i) {
          CHECK_NEAR(Mu[i], expected[i], tolerance);
          uMv += static_cast<double>(u[i]) * static_cast<double>(Mv[i]);
          vMu += static_cast<double>(v[i]) * static_cast<double>(Mu[i]);
          uMu += static_cast<double>(u[i]) * static_cast<double>(Mu[i]);
        }
        CHECK_NEAR(uMv, vMu, tolerance);
        CHECK(uMu >= -tolerance);
      }
      for (const S each : rows.fisher(Array<S>::ones(tile_rows * A))) {
        CHECK_NEAR(each, 0, tolerance);
      }
      CHECK_SAME(rows.fisher(u, S(0.25)), (S(0.25) * Mu));
    }
  });
}

TEST(entropy_by_hand, "Entropy is -sum p log p and lies in [0, log A].") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      const Rows<S> rows(check::normals<S>(tile_rows * A, 11, 2), A);
      const Array<S> log_p = rows.log_p(), entropy = rows.entropy();
      const double tolerance = 2 * static_cast<double>(A + 4) * epsilon<S>;
      for (Index r = 0; r < tile_rows; ++r) {
        double expected = 0;
        for (Index i = r * A; i < (r + 1) * A; ++i) {
          const double log_p_i = static_cast<double>(log_p[i]);
          expected -= std::exp(log_p_i) * log_p_i;
        }
        CHECK_NEAR(entropy[r], expected, tolerance);
        CHECK(entropy[r] >= S{0});
        CHECK(static_cast<double>(entropy[r]) <= std::log(static_cast<double>(A)) + tolerance);
      }
    }
  });
}

TEST(kl_by_hand, "KL(p || q) is sum p (log p - log q), at least 0, and 0 for q = p.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      const Rows<S> p(check::normals<S>(tile_rows * A, 12, 2), A);
      const Rows<S> q(check::normals<S>(tile_rows * A, 13, 2), A);
      const Array<S> log_p = p.log_p(), log_q = q.log_p(), kl = p.kl(q);
      const double tolerance = 8 * static_cast<double>(A + 4) * epsilon<S>;
      for (Index r = 0; r < tile_rows; ++r) {
        double expected = 0;
        for (Index i = r * A; i < (r + 1) * A; ++i) {
          const double log_p_i = static_cast<double>(log_p[i]);
          expected += std::exp(log_p_i) * (log_p_i - static_cast<double>(log_q[i]));
        }
        CHECK_NEAR(kl[r], expected, tolerance);
        CHECK(static_cast<double>(kl[r]) >= -tolerance);
      }
      CHECK((p.kl(p) == S{0}).all());
    }
  });
}

TEST(kl_curvature, "To second order KL is half of d'M d.") {
  const Index A = 5;
  const auto z = check::normals<double>(tile_rows * A, 14),
             d = check::normals<double>(z.size(), 15);
  const Rows<double> rows(z, A);
  const double h = 1e-3;
  const auto at = [&](double t) { return rows.kl(Rows<double>(z + t * d, A)); };
  const Array<double> curvature = (at(h) + at(-h)) / (h * h), Md = rows.fisher(d);
  for (Index r = 0; r < tile_rows; ++r) {
    double dMd = 0;
    for (Index i = r * A; i < (r + 1) * A; ++i) dMd += d[i] * Md[i];
    CHECK_NEAR(curvature[r], dMd, 1e-5 * dMd);
  }
}

TEST(derivatives, "Score, gradients of entropy and KL, and Fisher metric, by finite differences.") {
  for (const Index A : {2, 3, 17}) {
    CONTEXT(A << " actions");
    const auto z = check::normals<double>(tile_rows * A, 30);
    const auto other = check::normals<double>(tile_rows * A, 31);
    check::check_derivatives(Softmax{A}, z, other, check::integers(tile_rows, A, 32));

    auto mask = check::flags(tile_rows * A, 0.6, 33);
    for (Index r = 0; r < tile_rows; ++r) mask[r * A] = true;
    const auto actions = check::TileOf<double, Softmax>({A}, z, mask).sample(1, 0, 0);
    check::check_derivatives(Softmax{A}, z, other, actions, mask);
  }
}

TEST(weights,
     "Weights and scale multiply; gradients are added, score and Fisher product replace.") {
  check::for_each_scalar([]<class S>() {
    check::check_weights<S>(Softmax{5}, check::normals<S>(tile_rows * 5, 34),
                            check::normals<S>(tile_rows * 5, 35),
                            check::integers(tile_rows, 5, 36));
  });
}

TEST(masks, "A mask is a logit of -inf, whatever stands there; the rest is a smaller softmax.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : {2, 3, 17, 33}) {
      CONTEXT(A << " actions");
      auto mask = check::flags(tile_rows * A, 0.5, 37);
      for (Index r = 0; r < tile_rows; ++r) mask[r * A + r % A] = true;
      auto z = check::normals<S>(tile_rows * A, 38, 3), low = z;
      const S rubbish[] = {nan_of<S>, infinity<S>, -infinity<S>, S(1e30)};
      for (Index i = 0; i < z.size(); ++i) {
        if (mask[i]) continue;
        low[i] = -infinity<S>;
        z[i] = rubbish[i % 4];
      }
      using Tile = check::TileOf<S, Softmax>;
      const Tile masked({A}, z, mask), expected({A}, low);
      const auto u = check::normals<S>(tile_rows * A, 39);
      const auto other_z = check::normals<S>(tile_rows * A, 40);
      const Tile other({A}, other_z, mask);
      for (Index a = 0; a < A; ++a) {
        const auto all = Array<DiscreteAction>::constant(tile_rows, a);
        CHECK_SAME(masked.log_prob(all), expected.log_prob(all));
        CHECK_SAME(masked.score(all), expected.score(all));
        const auto log_prob = masked.log_prob(all);
        for (Index r = 0; r < tile_rows; ++r) {
          CHECK_EQ(log_prob[r] == -infinity<S>, !mask[r * A + a]);
        }
      }
      CHECK_SAME(masked.entropy(), expected.entropy());
      CHECK_SAME(masked.fisher(u), expected.fisher(u));
      CHECK_SAME(masked.kl(other), expected.kl(other));
      CHECK(masked.entropy().is_finite().all());
      CHECK(masked.kl(other).is_finite().all());
      const auto score = masked.score(masked.sample(1, 0, 0));
      for (const auto& gradient : {score, masked.entropy_gradient(), masked.kl_gradient(other),
                                   masked.reverse_kl_gradient(other), masked.fisher(u)}) {
        CHECK(gradient.is_finite().all());
        for (Index i = 0; i < gradient.size(); ++i) {
          if (!mask[i]) CHECK_EQ(gradient[i], S{0});
        }
      }
      const auto mode = masked.mode();
      for (Index r = 0; r < tile_rows; ++r) CHECK(mask[r * A + mode[r]]);
      for (std::uint64_t index = 0; index < 200; ++index) {
        const auto sampled = masked.sample(2, 0, index);
        for (Index r = 0; r < tile_rows; ++r) CHECK(mask[r * A + sampled[r]]);
      }
    }
  });
}

TEST(nothing_allowed,
     "A mask that forbids all gives NaN and action 0, and disturbs no other row.") {
  check::for_each_scalar([]<class S>() {
    auto mask = Array<bool>::ones(3 * 4);
    mask.fill(4, 4, false);
    const auto z = check::normals<S>(3 * 4, 41);
    const check::TileOf<S, Softmax> rows({4}, z, mask), fine({4}, z);
    const auto entropy = rows.entropy(), expected = fine.entropy();
    CHECK(std::isnan(entropy[1]));
    CHECK_EQ(entropy[0], expected[0]);
    CHECK_EQ(entropy[2], expected[2]);
    CHECK_EQ(rows.mode()[1], 0);
    CHECK_EQ(rows.sample(1, 0, 0)[1], 0);
    CHECK(std::isnan(rows.log_prob({0, 0, 0})[1]));
  });
}

TEST(inverse_cdf, "A sample is the first action whose cumulated probability exceeds u.") {
  check::for_each_scalar([]<class S>() {
    const S below_one = std::nextafter(S{1}, S{0});
    for (const Index A : action_counts) {
      const Rows<S> rows(check::normals<S>(tile_rows * A, 16, 2), A);
      const Array<S> p = rows.p();
      for (Index i = 0; i <= 200; ++i) {
        const S u = i == 200 ? below_one : static_cast<S>(i) / S{200};
        const auto sampled = rows.sample(Array<S>::constant(tile_rows, u));
        for (Index r = 0; r < tile_rows; ++r) {
          S cumulated = p[r * A];
          Index expected = 0;
          while (expected + 1 < A && u >= cumulated) cumulated += p[r * A + ++expected];
          CHECK_EQ(sampled[r], expected);
        }
      }
    }
  });
}

TEST(sample_ends, "u = 0 gives the first action that can happen, u just below 1 the last one.") {
  check::for_each_scalar([]<class S>() {
    const double none = static_cast<double>(-infinity<S>);
    const Rows<S> rows(logits_of<S>({none, none, 1, 2, none, -1e9, 0, 0, -1e9, none}), 5);
    const S below_one = std::nextafter(S{1}, S{0});
    CHECK_SAME(rows.sample(Array<S>::zeros(2)), (Array<DiscreteAction>{{2, 1}}));
    CHECK_SAME(rows.sample(Array<S>::constant(2, below_one)), (Array<DiscreteAction>{{3, 2}}));
  });
}

TEST(sample_beyond_the_sum,
     "Where rounding leaves the sum of p below u, the last possible action.") {
  const Index A = 1000;
  const float below_one = std::nextafter(1.0f, 0.0f);
  int short_sums = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto z = check::normals<float>(A, seed);
    z.fill(A - 10, 10, -infinity<float>);
    const Rows<float> rows(z, A);
    float sum = 0;
    for (const float p : rows.p()) sum += p;
    short_sums += sum <= below_one;
    const auto sampled = rows.sample(Array<float>::constant(1, below_one))[0];
    CHECK(sampled < A - 10);
    if (sum <= below_one) CHECK_EQ(sampled, A - 11);
  }
  CHECK(short_sums > 0);
}

TEST(modes, "The mode is the largest logit, the first of equals.") {
  check::for_each_scalar([]<class S>() {
    const Rows<S> rows(logits_of<S>({0, 1, 1, 5, -1, 5, -3, -2, -1, 0, 0, 0}), 3);
    CHECK_SAME(rows.mode(), (Array<DiscreteAction>{{1, 0, 2, 0}}));
  });
}

TEST(nan_row, "A NaN among a row's logits comes out in all that row says, and in no other row.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      for (Index a = 0; a < A; ++a) {
        CONTEXT("action " << a << " of " << A);
        auto z = check::normals<S>(tile_rows * A, 17);
        z[13 * A + a] = nan_of<S>;
        const Rows<S> rows(z, A), fine(check::normals<S>(tile_rows * A, 17), A);
        const Array<S> log_p = rows.log_p(), score = rows.score(rows.all(0)),
                       Mu = rows.fisher(Array<S>::ones(tile_rows * A));
        for (Index i = 0; i < z.size(); ++i) {
          CHECK_EQ(std::isnan(log_p[i]), i / A == 13);
          CHECK_EQ(std::isnan(score[i]), i / A == 13);
          CHECK_EQ(std::isnan(Mu[i]), i / A == 13);
        }
        const Array<S> entropy = rows.entropy(), kl = rows.kl(fine), reverse = fine.kl(rows);
        for (Index r = 0; r < tile_rows; ++r) {
          CHECK_EQ(std::isnan(entropy[r]), r == 13);
          CHECK_EQ(std::isnan(kl[r]), r == 13);
          CHECK_EQ(std::isnan(reverse[r]), r == 13);
        }
        for (const S u : {S{0}, S(0.5), std::nextafter(S{1}, S{0})}) {
          const auto sampled = rows.sample(Array<S>::constant(tile_rows, u));
          CHECK((sampled >= 0).all() && (sampled < A).all());
        }
        CHECK((rows.mode() >= 0).all() && (rows.mode() < A).all());
      }
    }
  });
}

TEST(rows_alone, "A row has the same bits alone, in a tile and wherever it stands in the tile.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : action_counts) {
      CONTEXT(A << " actions");
      const auto z = check::normals<S>(tile_rows * A, 18, 2),
                 u = check::normals<S>(tile_rows * A, 19);
      const Rows<S> all(z, A);
      const Array<S> log_p = all.log_p(), p = all.p(), entropy = all.entropy(), Mu = all.fisher(u);
      for (const Index rows : {1, 3, 7, 31}) {
        for (Index first = 0; first + rows <= tile_rows; first += 3) {
          const Rows<S> some(z.segment(first * A, rows * A), A);
          CHECK_SAME(some.log_p(), log_p.segment(first * A, rows * A));
          CHECK_SAME(some.p(), p.segment(first * A, rows * A));
          CHECK_SAME(some.entropy(), entropy.segment(first, rows));
          CHECK_SAME(some.fisher(u.segment(first * A, rows * A)), Mu.segment(first * A, rows * A));
        }
      }
    }
  });
}

TEST(whole_batches, "A batch is its tiles, whatever its size, address and number of threads.") {
  check::for_each_scalar([]<class S>() {
    for (const Index A : {2, 5}) {
      for (const Index batch_size : {1, 33, 14001}) {
        CONTEXT("batch " << batch_size << ", actions " << A);
        const Softmax softmax{A};
        const auto z = check::normals<S>(batch_size * A, 20, 2);
        const auto other = check::normals<S>(batch_size * A, 21, 2);
        const auto actions = check::integers(batch_size, A, 22);
        check::Shifted<S> z_shifted(z, 3);
        const auto everything = [&](const S* logits) {
          const batch::Parameters<S> parameters{logits, A};
          Array<S> log_prob(batch_size), entropy(batch_size), kl(batch_size), score(batch_size * A);
          Array<DiscreteAction> sampled(batch_size);
          batch::log_prob(softmax, parameters, actions.data(), batch_size, log_prob.data());
          batch::entropy(softmax, parameters, batch_size, entropy.data());
          batch::kl(softmax, parameters, {other.data(), A}, batch_size, kl.data());
          batch::score(softmax, parameters, actions.data(), batch_size, score.data());
          batch::sample(softmax, parameters, batch_size, 23, 24, sampled.data());
          return std::tuple{log_prob, entropy, kl, score, sampled};
        };
        if (batch_size > 14000) check::same_on_any_threads([&] { return everything(z.data()); });
        const auto [log_prob, entropy, kl, score, sampled] = everything(z_shifted.data());
        for (Index b = 0; b < batch_size; ++b) {
          const Rows<S> row(z.segment(b * A, A), A), other_row(other.segment(b * A, A), A);
          const Array<DiscreteAction> action = actions.segment(b, 1);
          CHECK_EQ(log_prob[b], row.log_prob(action)[0]);
          CHECK_EQ(entropy[b], row.entropy()[0]);
          CHECK_EQ(kl[b], row.kl(other_row)[0]);
          CHECK_SAME(score.segment(b * A, A), row.score(action));
          const S u = uniform<S>(23, Purpose::action, static_cast<std::uint32_t>(b), 24);
          CHECK_EQ(sampled[b], row.sample(Array<S>::constant(1, u))[0]);
        }
      }
    }
  });
}

}  // namespace
}  // namespace pgfast
