#include <limits>

#include "pgfast/n_step_return.hpp"
#include "pgfast/returns.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

// A rollout with every kind of end: a tenth of the steps terminate, a tenth are truncated, both
// independently.
template <class S>
struct Trajectories {
  Index T, N;
  Array<S> rewards, values, final_values;
  Array<bool> terminated, truncated;
  Array<Index> final_index;  // where a truncated step stands in final_values

  Trajectories(Index steps, Index envs, double end_probability = 0.1)
      : T(steps),
        N(envs),
        rewards(check::normals<S>(T * N, 1)),
        values(check::normals<S>((T + 1) * N, 2)),
        terminated(check::flags(T * N, end_probability, 3)),
        truncated(check::flags(T * N, end_probability, 4)),
        final_index(T * N) {
    Index seen = 0;
    for (Index i = 0; i < T * N; ++i) final_index[i] = truncated[i] ? seen++ : -1;
    final_values = check::normals<S>(seen, 5);
  }

  bool done(Index t, Index n) const { return terminated[t * N + n] || truncated[t * N + n]; }
  const S* last_values() const { return values.data() + T * N; }
  ConstMatrixView<S> rewards_view() const { return {rewards.data(), T, N}; }
  ConstMatrixView<S> values_view() const { return {values.data(), T + 1, N}; }
  FlagView terminated_view() const { return {terminated.data(), T, N}; }
  FlagView truncated_view() const { return {truncated.data(), T, N}; }

  Array<S> reward_to_go(S gamma, const S* last, const S* finals) const {
    Array<S> out(T * N);
    pgfast::reward_to_go<S>(rewards_view(), terminated_view(), truncated_view(), gamma, last,
                            finals, {out.data(), T, N});
    return out;
  }
  Array<S> episode_return(S gamma, const bool* valid = nullptr) const {
    Array<S> out(T * N);
    pgfast::episode_return<S>(rewards_view(), terminated_view(), truncated_view(), valid, gamma,
                              {out.data(), T, N});
    return out;
  }
  Array<S> n_step_return(S gamma, Index n, const S* finals) const {
    Array<S> out(T * N);
    pgfast::n_step_return<S>(rewards_view(), values_view(), terminated_view(), truncated_view(),
                             gamma, n, finals, {out.data(), T, N});
    return out;
  }
  Array<S> lambda_return(S gamma, S lam, const S* finals) const {
    Array<S> out(T * N);
    pgfast::lambda_return<S>(rewards_view(), values_view(), terminated_view(), truncated_view(),
                             gamma, lam, finals, {out.data(), T, N});
    return out;
  }
  Array<S> gae(S gamma, S lam, const S* finals) const {
    Array<S> out(T * N);
    pgfast::gae<S>(rewards_view(), values_view(), terminated_view(), truncated_view(), gamma, lam,
                   finals, {out.data(), T, N});
    return out;
  }
};

// A sum with what its rounding may be: each term has been through at most `terms` products and sums
// by a factor below 1, each with half an epsilon, and gamma * lam is itself rounded.
struct Sum {
  long double value = 0, magnitude = 0;
  double terms = 2;

  void add(long double x) {
    value += x;
    magnitude += std::abs(x);
    ++terms;
  }
  template <class S>
  double tolerance() const {
    return 2 * terms * static_cast<double>(std::numeric_limits<S>::epsilon()) *
           static_cast<double>(magnitude);
  }
};

// The value after step (t, n) that the recursion bootstraps from: V_{t+1}, V(final), or nothing.
template <class S>
long double next_value(const Trajectories<S>& b, Index t, Index n, bool with_finals) {
  const Index i = t * b.N + n;
  if (b.terminated[i]) return 0;
  if (b.truncated[i]) return with_finals ? b.final_values[b.final_index[i]] : S{0};
  return b.values[i + b.N];
}

// sum_k decay^k x_{t+k} until the episode or the rollout ends, with f(sum, weight, t + k) adding x.
template <class S, class F>
Sum until_end(const Trajectories<S>& b, Index t, Index n, long double decay, F&& f) {
  Sum sum;
  long double weight = 1;
  for (; t < b.T; ++t, weight *= decay) {
    f(sum, weight, t);
    if (b.done(t, n)) break;
  }
  return sum;
}

template <class S>
Sum naive_reward_to_go(const Trajectories<S>& b, Index t, Index n, S gamma, bool with_last,
                       bool with_finals) {
  return until_end(b, t, n, gamma, [&](Sum& sum, long double weight, Index k) {
    sum.add(weight * b.rewards[k * b.N + n]);
    const bool bootstrap = b.done(k, n) ? with_finals : with_last && k == b.T - 1;
    if (bootstrap) sum.add(weight * gamma * next_value(b, k, n, with_finals));
  });
}

template <class S>
Sum naive_gae(const Trajectories<S>& b, Index t, Index n, S gamma, S lam, bool with_finals) {
  const long double decay = static_cast<long double>(gamma) * lam;
  return until_end(b, t, n, decay, [&](Sum& sum, long double weight, Index k) {
    sum.add(weight * b.rewards[k * b.N + n]);
    sum.add(weight * gamma * next_value(b, k, n, with_finals));
    sum.add(-weight * b.values[k * b.N + n]);
  });
}

template <class S>
Sum naive_episode_return(const Trajectories<S>& b, Index t, Index n, S gamma, const bool* valid) {
  while (t > 0 && !b.done(t - 1, n)) --t;
  long double weight = 1;
  return until_end(b, t, n, 1, [&](Sum& sum, long double, Index k) {
    if (valid && !valid[k * b.N + n]) return;
    sum.add(weight * b.rewards[k * b.N + n]);
    weight *= gamma;
  });
}

// f(trajectories) over sizes with one and with several blocks of columns.
template <class S, class F>
void for_each_size(F&& f) {
  for (const Index T : {1, 2, 17}) {
    for (const Index N : {1, 7, 1023, 1024, 1025, 2100}) {
      CONTEXT("T " << T << ", N " << N);
      f(Trajectories<S>(T, N));
    }
  }
}

template <class S, class F>
void check_all(const Trajectories<S>& b, const Array<S>& out, F&& expected) {
  for (Index t = 0; t < b.T; ++t) {
    for (Index n = 0; n < b.N; ++n) {
      const Sum sum = expected(t, n);
      const double tolerance = sum.template tolerance<S>();
      if (std::abs(static_cast<double>(out[t * b.N + n] - sum.value)) <= tolerance) continue;
      CONTEXT("t " << t << ", n " << n);
      CHECK_NEAR(out[t * b.N + n], sum.value, tolerance);
    }
  }
}

TEST(reward_to_go_is_its_sum,
     "Reward-to-go is the discounted sum to the episode's end plus the discounted bootstrap.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      for (const S gamma : {S{0}, S(0.97), S{1}}) {
        for (const bool last : {false, true}) {
          for (const bool finals : {false, true}) {
            CONTEXT("gamma " << gamma << ", last " << last << ", finals " << finals);
            const auto out = b.reward_to_go(gamma, last ? b.last_values() : nullptr,
                                            finals ? b.final_values.data() : nullptr);
            check_all(b, out, [&](Index t, Index n) {
              return naive_reward_to_go(b, t, n, gamma, last, finals);
            });
          }
        }
      }
    });
  });
}

TEST(gae_is_its_sum,
     "GAE is the sum of TD errors, discounted by gamma lam, to the episode's end.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      for (const S lam : {S{0}, S(0.9), S{1}}) {
        for (const bool finals : {false, true}) {
          CONTEXT("lam " << lam << ", finals " << finals);
          const auto out = b.gae(S(0.97), lam, finals ? b.final_values.data() : nullptr);
          check_all(b, out,
                    [&](Index t, Index n) { return naive_gae(b, t, n, S(0.97), lam, finals); });
        }
      }
    });
  });
}

template <class S>
Sum naive_n_step_return(const Trajectories<S>& b, Index t, Index n, S gamma, Index steps,
                        bool with_finals) {
  const Index end = std::min(b.T, t + steps);
  return until_end(b, t, n, gamma, [&](Sum& sum, long double weight, Index k) {
    if (k >= end) return;  // behind the window
    sum.add(weight * b.rewards[k * b.N + n]);
    if (b.done(k, n) || k == end - 1) sum.add(weight * gamma * next_value(b, k, n, with_finals));
  });
}

// Windows that are shorter than the rollout, that divide it and don't, and longer ones.
TEST(n_step_return_is_its_sum,
     "The n-step return is the discounted sum of n rewards, or to the end, plus the bootstrap.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      for (const Index n : {1, 2, 5, 17, 40}) {
        for (const S gamma : {S{0}, S(0.97), S{1}}) {
          for (const bool finals : {false, true}) {
            CONTEXT("n " << n << ", gamma " << gamma << ", finals " << finals);
            const auto out = b.n_step_return(gamma, n, finals ? b.final_values.data() : nullptr);
            check_all(b, out, [&](Index t, Index column) {
              return naive_n_step_return(b, t, column, gamma, n, finals);
            });
          }
        }
      }
    });
  });
}

TEST(n_step_to_the_end, "A window of the whole rollout has the bits of the reward-to-go.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      const S* finals = b.final_values.data();
      const auto to_go = b.reward_to_go(S(0.97), b.last_values(), finals);
      CHECK_SAME(b.n_step_return(S(0.97), b.T, finals), to_go);
      CHECK_SAME(b.n_step_return(S(0.97), std::numeric_limits<Index>::max(), finals), to_go);
    });
  });
}

TEST(lambda_return_is_gae_and_value, "The lambda-return is GAE plus V.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      for (const S lam : {S{0}, S(0.9), S{1}}) {
        CONTEXT("lam " << lam);
        const auto out = b.lambda_return(S(0.97), lam, b.final_values.data());
        check_all(b, out, [&](Index t, Index n) {
          Sum sum = naive_gae(b, t, n, S(0.97), lam, true);
          sum.add(b.values[t * b.N + n]);
          return sum;
        });
      }
    });
  });
}

TEST(episode_return_is_its_sum,
     "Every step of an episode has the discounted sum of the episode's valid rewards.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      const auto mask = check::flags(b.T * b.N, 0.8, 6);
      for (const auto& [gamma, valid] : {std::pair<S, const bool*>{S{0}, nullptr},
                                         {S(0.97), nullptr},
                                         {S(0.97), mask.data()},
                                         {S{1}, mask.data()}}) {
        const auto out = b.episode_return(gamma, valid);
        check_all(b, out, [&, g = gamma, v = valid](Index t, Index n) {
          return naive_episode_return(b, t, n, g, v);
        });
        for (Index t = 1; t < b.T; ++t) {
          for (Index n = 0; n < b.N; ++n) {
            if (!b.done(t - 1, n)) CHECK_EQ(out[t * b.N + n], out[(t - 1) * b.N + n]);
          }
        }
      }
    });
  });
}

TEST(not_valid_not_seen, "A NaN in a row that is no step is not seen by the episode return.") {
  check::for_each_scalar([]<class S>() {
    Trajectories<S> b(17, 1500);
    const auto valid = check::flags(b.T * b.N, 0.8, 6);
    const auto clean = b.episode_return(S(0.97), valid.data());
    for (Index i = 0; i < b.T * b.N; ++i) {
      if (!valid[i]) b.rewards[i] = std::numeric_limits<S>::quiet_NaN();
    }
    CHECK_SAME(b.episode_return(S(0.97), valid.data()), clean);
  });
}

TEST(first_step, "Where all rows are steps, the episode return is its first step's reward-to-go.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      const S gamma = S(0.97);
      const auto whole = b.episode_return(gamma), to_go = b.reward_to_go(gamma, nullptr, nullptr);
      check_all(b, whole, [&](Index t, Index n) {
        while (t > 0 && !b.done(t - 1, n)) --t;
        Sum sum = naive_reward_to_go(b, t, n, gamma, false, false);  // for its magnitude
        sum.value = to_go[t * b.N + n];
        return sum;
      });
    });
  });
}

TEST(gae_lambda_one, "With lam = 1 GAE is reward-to-go minus V.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      const S gamma = S(0.97);
      const auto out = b.gae(gamma, S{1}, b.final_values.data());
      const auto to_go = b.reward_to_go(gamma, b.last_values(), b.final_values.data());
      check_all(b, out, [&](Index t, Index n) {
        Sum sum = naive_gae(b, t, n, gamma, S{1}, true);  // for its magnitude
        sum.value = static_cast<long double>(to_go[t * b.N + n]) - b.values[t * b.N + n];
        return sum;
      });
    });
  });
}

TEST(gae_lambda_zero, "With lam = 0 GAE is the TD error r + gamma V' - V.") {
  check::for_each_scalar([]<class S>() {
    for_each_size<S>([](const Trajectories<S>& b) {
      const S gamma = S(0.97);
      check_all(b, b.gae(gamma, S{0}, b.final_values.data()), [&](Index t, Index n) {
        Sum sum;
        sum.add(b.rewards[t * b.N + n]);
        sum.add(gamma * next_value(b, t, n, true));
        sum.add(-static_cast<long double>(b.values[t * b.N + n]));
        return sum;
      });
    });
  });
}

TEST(counting, "Undiscounted rewards of 1 count the steps that an episode has left, exactly.") {
  check::for_each_scalar([]<class S>() {
    Trajectories<S> b(40, 1500);
    b.rewards.fill(S{1});
    const auto left = b.reward_to_go(S{1}, nullptr, nullptr);
    const auto length = b.episode_return(S{1});
    for (Index n = 0; n < b.N; ++n) {
      Index start = 0;
      for (Index t = 0; t < b.T; ++t) {
        Index end = t;
        while (end + 1 < b.T && !b.done(end, n)) ++end;
        CHECK_EQ(left[t * b.N + n], static_cast<S>(end - t + 1));
        CHECK_EQ(length[t * b.N + n], static_cast<S>(end - start + 1));
        if (b.done(t, n)) start = t + 1;
      }
    }
  });
}

TEST(
    cut_in_two,
    "A rollout cut in two, the first part going on from the second's returns, has the same bits.") {
  check::for_each_scalar([]<class S>() {
    const Trajectories<S> b(12, 1100);
    const auto whole = b.reward_to_go(S(0.97), b.last_values(), nullptr);
    for (const Index cut : {1, 5, 11}) {
      Array<S> parts(b.T * b.N);
      const auto part = [&](Index begin, Index end, const S* last) {
        const Index at = begin * b.N, rows = end - begin;
        reward_to_go<S>({b.rewards.data() + at, rows, b.N}, {b.terminated.data() + at, rows, b.N},
                        {b.truncated.data() + at, rows, b.N}, S(0.97), last, nullptr,
                        {parts.data() + at, rows, b.N});
      };
      part(cut, b.T, b.last_values());
      part(0, cut, parts.data() + cut * b.N);
      CHECK_SAME(parts, whole);
    }
  });
}

TEST(both_flags, "Where both flags are set termination wins: the final value is not looked at.") {
  check::for_each_scalar([]<class S>() {
    Trajectories<S> b(17, 2100);
    const auto to_go = b.reward_to_go(S(0.97), b.last_values(), b.final_values.data());
    const auto advantages = b.gae(S(0.97), S(0.9), b.final_values.data());
    Index both = 0;
    for (Index i = 0; i < b.T * b.N; ++i) {
      if (!b.terminated[i] || !b.truncated[i]) continue;
      b.final_values[b.final_index[i]] = std::numeric_limits<S>::quiet_NaN();
      ++both;
    }
    CHECK(both > 100);
    CHECK_SAME(b.reward_to_go(S(0.97), b.last_values(), b.final_values.data()), to_go);
    CHECK_SAME(b.gae(S(0.97), S(0.9), b.final_values.data()), advantages);
    for (const S x : b.n_step_return(S(0.97), 5, b.final_values.data())) CHECK(!std::isnan(x));
    for (const S x : b.lambda_return(S(0.97), S(0.9), b.final_values.data())) {
      CHECK(!std::isnan(x));
    }
  });
}

TEST(nan_stays_behind_an_end, "A NaN behind an episode's end leaves no trace before it.") {
  check::for_each_scalar([]<class S>() {
    const S nan = std::numeric_limits<S>::quiet_NaN();
    const Trajectories<S> clean(17, 1500, 0.05);
    Trajectories<S> b = clean;
    for (Index n = 0; n < b.N; ++n) {
      bool over = false;
      for (Index t = 0; t < b.T; ++t) {
        if (over) b.rewards[t * b.N + n] = b.values[t * b.N + n] = nan;
        over |= b.done(t, n);
      }
      if (over) b.values[b.T * b.N + n] = nan;
    }
    const S* finals = b.final_values.data();
    const auto compare = [&](const Array<S>& dirty, const Array<S>& expected) {
      for (Index n = 0; n < b.N; ++n) {
        bool over = false;
        for (Index t = 0; t < b.T; ++t) {
          const Index i = t * b.N + n;
          if (!over) CHECK_EQ(dirty[i], expected[i]);
          if (over) CHECK(std::isnan(dirty[i]));
          over |= b.done(t, n);
        }
      }
    };
    compare(b.reward_to_go(S(0.97), b.last_values(), finals),
            clean.reward_to_go(S(0.97), clean.last_values(), finals));
    compare(b.gae(S(0.97), S(0.9), finals), clean.gae(S(0.97), S(0.9), finals));
    for (const Index n : {1, 5, 17}) {
      compare(b.n_step_return(S(0.97), n, finals), clean.n_step_return(S(0.97), n, finals));
    }
    compare(b.lambda_return(S(0.97), S(0.9), finals), clean.lambda_return(S(0.97), S(0.9), finals));
    compare(b.episode_return(S(0.97)), clean.episode_return(S(0.97)));
  });
}

TEST(nan_goes_through, "A NaN reward comes out at its own step and at all that lead to it.") {
  check::for_each_scalar([]<class S>() {
    Trajectories<S> b(9, 40, 0);
    for (Index n = 0; n < b.N; ++n) b.rewards[5 * b.N + n] = std::numeric_limits<S>::quiet_NaN();
    const auto to_go = b.reward_to_go(S(0.97), nullptr, nullptr);
    const auto advantages = b.gae(S(0.97), S(0.9), nullptr);
    const auto whole = b.episode_return(S(0.97));
    for (Index t = 0; t < b.T; ++t) {
      for (Index i = t * b.N; i < (t + 1) * b.N; ++i) {
        CHECK_EQ(std::isnan(to_go[i]), t <= 5);
        CHECK_EQ(std::isnan(advantages[i]), t <= 5);
        CHECK(std::isnan(whole[i]));
      }
    }
  });
}

TEST(column_alone, "A trajectory has the same bits alone and among others.") {
  check::for_each_scalar([]<class S>() {
    const Trajectories<S> b(9, 1100);
    const auto to_go = b.reward_to_go(S(0.97), b.last_values(), nullptr);
    const auto advantages = b.gae(S(0.97), S(0.9), nullptr);
    const auto n_step = b.n_step_return(S(0.97), 4, nullptr);
    const auto lambda = b.lambda_return(S(0.97), S(0.9), nullptr);
    const auto whole = b.episode_return(S(0.97));
    for (Index n = 0; n < b.N; n += 13) {
      Trajectories<S> one(b.T, 1);
      const auto column = [&](const auto& from, auto& to) {
        for (Index t = 0; t < to.size(); ++t) to[t] = from[t * b.N + n];
      };
      column(b.rewards, one.rewards);
      column(b.values, one.values);
      column(b.terminated, one.terminated);
      column(b.truncated, one.truncated);
      Array<S> expected(b.T);
      column(to_go, expected);
      CHECK_SAME(one.reward_to_go(S(0.97), one.last_values(), nullptr), expected);
      column(advantages, expected);
      CHECK_SAME(one.gae(S(0.97), S(0.9), nullptr), expected);
      column(n_step, expected);
      CHECK_SAME(one.n_step_return(S(0.97), 4, nullptr), expected);
      column(lambda, expected);
      CHECK_SAME(one.lambda_return(S(0.97), S(0.9), nullptr), expected);
      column(whole, expected);
      CHECK_SAME(one.episode_return(S(0.97)), expected);
    }
  });
}

TEST(threads, "Returns have the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    const Trajectories<S> b(70, 4 * column_block + 3);
    check::same_on_any_threads([&] {
      return std::tuple{b.reward_to_go(S(0.97), b.last_values(), b.final_values.data()),
                        b.gae(S(0.97), S(0.9), b.final_values.data()),
                        b.n_step_return(S(0.97), 4, b.final_values.data()),
                        b.lambda_return(S(0.97), S(0.9), b.final_values.data()),
                        b.episode_return(S(0.97))};
    });
  });
}

}  // namespace
}  // namespace pgfast
