// What this machine does at most on pgfast's threads: the limits that benchmarks give shares of.
// Every thread does the same work, and all of it counts.
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
#include <atomic>
#include <chrono>
#include <cstring>
#include <iterator>
#include <limits>
#include <vector>

#include "pgfast/envs/cartpole.hpp"
#include "pgfast/parallel.hpp"

namespace pgfast {

// Seconds of the fastest of `repeats` times that f(thread) is called for each thread.
template <class F>
double fastest(Index threads, Index repeats, F&& f) {
  double best = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < repeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    parallel_for(threads, worth_a_thread, f);
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
  std::atomic<Index> exact = 0;
  const Index threads = ThreadTeam::instance().num_threads();
  const double seconds = fastest(threads, repeats, [&](Index) {
    const S one_at_run_time = factor;
    const auto x = Eigen::internal::pset1<Packet>(one_at_run_time),
               one = Eigen::internal::pset1<Packet>(S{1});
    Packet a[chains];
    for (auto& chain : a) chain = Eigen::internal::pset1<Packet>(S{0});
    for (Index t = 0; t < steps; ++t) {
      for (auto& chain : a) chain = Eigen::internal::pmadd(chain, x, one);
    }
    exact += std::all_of(std::begin(a), std::end(a), [&](const Packet& chain) {
      return Eigen::internal::predux(chain) == static_cast<S>(width * steps);
    });
  });
  const auto operations = static_cast<double>(2 * chains * steps * width * threads);
  return exact == repeats * threads ? operations / seconds : 0.0;
}

// Bytes read and written per second by copies of `bytes` bytes to as many others.
inline double copy_bandwidth(Index bytes, Index repeats) {
  const Index threads = ThreadTeam::instance().num_threads();
  using Bytes = Buffer<std::uint8_t>;
  const std::vector<Bytes> sources(static_cast<std::size_t>(threads), Bytes::Ones(bytes));
  std::vector<Bytes> targets(static_cast<std::size_t>(threads), Bytes::Zero(bytes));
  const auto size = static_cast<std::size_t>(bytes);
  const Index times = std::max<Index>(1, 8'000'000 / bytes);
  const double seconds = fastest(threads, repeats, [&](Index thread) {
    const Bytes& source = sources[static_cast<std::size_t>(thread)];
    Bytes& target = targets[static_cast<std::size_t>(thread)];
    [[maybe_unused]] volatile std::uint8_t seen = 0;
    for (Index i = 0; i < times; ++i) {
      std::memcpy(target.data(), source.data(), size);
      seen = target[i % bytes];  // or only the last copy would have to be made
    }
  });
  return 2.0 * static_cast<double>(bytes * times * threads) / seconds;
}

// Steps per second of CartPole's arithmetic alone.
template <class S>
double plain_cartpole(Index repeats) {
  constexpr Index blocks = 16, steps = 1000;
  const CartPole<S> env;
  const DiscreteAction actions[env_lanes] = {0, 1, 1, 0};
  std::atomic<Index> made = 0;
  const Index threads = ThreadTeam::instance().num_threads();
  const double seconds = fastest(threads, repeats, [&](Index) {
    typename CartPole<S>::State states[blocks];
    typename CartPole<S>::Lane rewards, sum = CartPole<S>::Lane::Zero();
    std::uint8_t terminated[env_lanes];
    for (Index t = 0; t < steps; ++t) {
      for (auto& state : states) {
        if (t % 8 == 0) state.setZero();  // before the poles have fallen
        env.step(state, actions, rewards, terminated);
        sum += rewards;
      }
    }
    made += static_cast<Index>(sum.sum());
  });
  const Index of_all = blocks * steps * env_lanes * threads;
  return made == repeats * of_all ? static_cast<double>(of_all) / seconds : 0.0;
}

}  // namespace pgfast
