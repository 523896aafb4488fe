// What one thread of this machine does at most: the limits that benchmarks give shares of.
//
// Multiply-adds: a_k <- a_k x + 1 for `chains` vectors a_k that stay in registers. A chain waits
// for its own last result alone, so that latency (4 or 5 cycles) times issue width (at most 2 a
// cycle) = 10 chains fill the units; 12 chains, x and 1 are 14 registers, which AVX2 has, too. x =
// 1 is read from volatile memory, or the compiler would count for us.
//
// Copies: memcpy between two arrays whose pages have been touched before. Counted are the bytes
// read and the bytes written. Arrays that fit a cache are copied at its speed: a kernel is to be
// held against a copy of as many bytes as it touches.
//
// CartPole: the environment's arithmetic alone: 16 blocks whose states stay in the first-level
// cache; no action is checked, no episode counted, no observation written.
//
// Each gives work per second in the fastest of `repeats` runs of about a millisecond: the machine
// can do it, whatever else it was doing meanwhile.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "pgfast/envs/cartpole.hpp"

namespace pgfast {

// Seconds of the fastest of `repeats` calls of f().
template <class F>
double fastest(Index repeats, F&& f) {
  double best = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < repeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::min(best, seconds.count());
  }
  return best;
}

// Floating-point operations per second, a multiply-add being two; 0 where the sums are not exact.
template <class S>
double fma_peak(Index repeats) {
  using Packet = typename Eigen::internal::packet_traits<S>::type;
  constexpr Index chains = 12, steps = 100'000,
                  width = Eigen::internal::unpacket_traits<Packet>::size;
  static_assert(steps < 1 << 24);  // float32 counts so far
  volatile S factor = S{1};
  bool exact = false;
  const double seconds = fastest(repeats, [&] {
    const S one_at_run_time = factor;
    const auto x = Eigen::internal::pset1<Packet>(one_at_run_time),
               one = Eigen::internal::pset1<Packet>(S{1});
    Packet a[chains];
    for (auto& chain : a) chain = Eigen::internal::pset1<Packet>(S{0});
    for (Index t = 0; t < steps; ++t) {
      for (auto& chain : a) chain = Eigen::internal::pmadd(chain, x, one);
    }
    exact = true;
    for (const auto& chain : a) {
      exact = exact && Eigen::internal::predux(chain) == static_cast<S>(width * steps);
    }
  });
  return exact ? 2.0 * chains * steps * width / seconds : 0.0;
}

// Bytes read and written per second by copies of `bytes` bytes to as many others.
inline double copy_bandwidth(Index bytes, Index repeats) {
  Buffer<std::uint8_t> source = Buffer<std::uint8_t>::Ones(bytes);
  Buffer<std::uint8_t> target = Buffer<std::uint8_t>::Zero(bytes);
  const auto size = static_cast<std::size_t>(bytes);
  const Index times = std::max<Index>(1, 8'000'000 / bytes);
  volatile std::uint8_t seen = 0;
  const double seconds = fastest(repeats, [&] {
    for (Index i = 0; i < times; ++i) {
      std::memcpy(target.data(), source.data(), size);
      seen = target[i % bytes];  // or only the last copy would have to be made
    }
  });
  return 2.0 * static_cast<double>(bytes * times) / seconds;
}

// Steps per second of CartPole's arithmetic alone.
template <class S>
double plain_cartpole(Index repeats) {
  constexpr Index blocks = 16, steps = 1000;
  const CartPole<S> env;
  typename CartPole<S>::State states[blocks];
  const DiscreteAction actions[env_lanes] = {0, 1, 1, 0};
  typename CartPole<S>::Lane rewards, sum;
  std::uint8_t terminated[env_lanes];
  const double seconds = fastest(repeats, [&] {
    sum.setZero();
    for (Index t = 0; t < steps; ++t) {
      for (auto& state : states) {
        if (t % 8 == 0) state.setZero();  // before the poles have fallen
        env.step(state, actions, rewards, terminated);
        sum += rewards;
      }
    }
  });
  const auto made = static_cast<double>(sum.sum());
  return made == blocks * steps * env_lanes ? made / seconds : 0.0;
}

}  // namespace pgfast
