// LQR-v0: the linear-quadratic regulator. x' = A x + B u + w with noise w = L z, z ~ N(0, 1), and
// reward -(x' Q x + u' R u) of the state and the action before the step. An episode begins at
// x = mean + M z. State and observation: x (n); actions: u (m), unbounded.
//
// Work: n n + n m + n n multiply-adds a lane. The columns behind x hold the next state while it is
// computed, and one column of normals.
#pragma once

#include <vector>

#include "pgfast/lane_env.hpp"

namespace pgfast {

template <class S>
struct LQR {
  using Scalar = S;
  using Action = S;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, Eigen::Dynamic>;
  using Observation = State;
  using Actions = State;
  static constexpr bool random_steps = true;

  Index n, m;
  std::vector<S> A, B, Q, R;    // (n, n), (n, m), (n, n), (m, m), row-major
  std::vector<S> noise;         // (n, n): L; empty where there is none
  std::vector<S> mean, spread;  // (n), (n, n): M

  Index state_size() const { return n; }
  Index state_columns() const { return 2 * n; }
  Index observation_size() const { return n; }
  Index action_size() const { return m; }

  void reset(State& state, Index lane, auto& draws) const {
    for (Index i = 0; i < n; ++i) state(lane, i) = at(mean, i);
    for (Index j = 0; j < n; j += 2) {
      S u[2];
      draws.uniforms(u);
      const auto z = normal_pair(u[0], u[1]);
      for (Index i = 0; i < n; ++i) {
        state(lane, i) += at(spread, i * n + j) * z[0];
        if (j + 1 < n) state(lane, i) += at(spread, i * n + j + 1) * z[1];
      }
    }
  }

  void step(State& state, const Actions& actions, Lane& rewards, std::uint8_t* terminated,
            LaneDraws<S>& draws) const {
    rewards.setZero();
    subtract_form(Q, n, state, rewards);
    subtract_form(R, m, actions, rewards);
    for (Index i = 0; i < n; ++i) {
      Lane sum = Lane::Zero();
      for (Index j = 0; j < n; ++j) sum += at(A, i * n + j) * state.col(j);
      for (Index j = 0; j < m; ++j) sum += at(B, i * m + j) * actions.col(j);
      state.col(n + i) = sum;
    }
    for (Index j = 0; !noise.empty() && j < n; j += 2) {
      typename LaneDraws<S>::Uniforms u;
      draws.uniforms(u);
      const Lane radius = (S(-2) * (S(1) - u[0]).log()).sqrt();
      const Lane angle = S(6.283185307179586476925286766559) * u[1];
      const Lane z[2] = {radius * angle.cos(), radius * angle.sin()};
      for (Index k = 0; k < 2 && j + k < n; ++k) {
        for (Index i = 0; i < n; ++i) state.col(n + i) += at(noise, i * n + j + k) * z[k];
      }
    }
    for (Index i = 0; i < n; ++i) state.col(i) = state.col(n + i);
    std::fill(terminated, terminated + env_lanes, std::uint8_t{0});
  }

  auto observe(const State& state) const { return state.leftCols(n); }

 private:
  static S at(const std::vector<S>& numbers, Index i) {
    return numbers[static_cast<std::size_t>(i)];
  }

  // rewards -= x' form x
  void subtract_form(const std::vector<S>& form, Index size, const State& x, Lane& rewards) const {
    for (Index i = 0; i < size; ++i) {
      Lane sum = Lane::Zero();
      for (Index j = 0; j < size; ++j) sum += at(form, i * size + j) * x.col(j);
      rewards -= x.col(i) * sum;
    }
  }
};

}  // namespace pgfast
